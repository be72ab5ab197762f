"""The tests that a project comes with, run as its owner runs them, with every pair of answers."""

from xml.etree import ElementTree

import pytest

from serving import each
from variants import SUITES


@pytest.mark.parametrize("variant", each(SUITES))
def test_the_project_s_own_tests_pass_and_none_is_skipped(variant, installed):
    project = installed(variant)
    report = project.folder.with_suffix(".xml")
    output = project.make("test", f"ARGS=--junit-xml={report} --durations=5")
    print(output)
    counts = ElementTree.parse(report).find("testsuite").attrib
    assert counts["skipped"] == "0", output
