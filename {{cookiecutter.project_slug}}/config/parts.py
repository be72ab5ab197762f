"""The settings of the parts of this project, each in a file of its own."""

#% for part in cookiecutter.__settings.split(", ")
from config.{{ part }} import *
#% endfor
