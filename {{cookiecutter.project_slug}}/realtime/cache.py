"""Django's default cache, over connections that all tasks and threads share.

`django.core.cache.cache` is another one in each of them, which may leave its connection behind until the
garbage collector comes by.
"""

from django.core.cache import caches
from django.utils.functional import SimpleLazyObject

cache = SimpleLazyObject(lambda: caches.create_connection("default"))
