"""What a test suite answered: the result of every test by its name, from the forms that the suites here write."""
import collections
import re
import xml.etree.ElementTree as ElementTree

JUNIT_MARK = "==junit=="


def with_report(words: list[str]) -> list[str]:
    """A pytest command that prints its report in full after its own output, so that no file of it stays behind."""
    script = (
        '"$@" --junitxml="$HOME/report.xml"; code=$?; '
        f'echo; echo "{JUNIT_MARK}"; cat "$HOME/report.xml"; exit $code'
    )
    return ["sh", "-c", script, "sh", *words]


def from_junit(output: str) -> dict[str, str]:
    """Results by test, of pytest's report behind its mark; empty without one."""
    _, mark, report = output.rpartition(JUNIT_MARK + "\n")
    end = report.find("</testsuites>")
    if not mark or end < 0:
        return {}
    results: dict[str, str] = {}
    for case in ElementTree.fromstring(report[report.index("<testsuites"):end] + "</testsuites>").iter("testcase"):
        base = f"{case.get('classname')}::{case.get('name')}"
        name, number = base, 2
        while name in results:
            name, number = f"{base} ({number})", number + 1
        kinds = {child.tag for child in case}
        results[name] = (
            "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        )
    return results


def from_lines(output: str) -> dict[str, str]:
    """Results of programs that print one line `PASS: name`, `FAIL: name` or `SKIP: name` for each test."""
    words = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped", "XFAIL": "passed", "ERROR": "failed"}
    found = re.findall(r"^(PASS|FAIL|SKIP|XFAIL|ERROR): (.+?)\s*$", output, re.MULTILINE)
    return {name: words[word] for word, name in found}


def counts(results: dict[str, str]) -> str:
    number = collections.Counter(results.values())
    return f"{number['passed']}/{number['failed']}/{number['skipped']}"


def from_cargo(output: str) -> dict[str, str]:
    """Results of cargo's test harness: `test name ... ok`."""
    words = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}
    found = re.findall(r"^test (.+?) \.\.\. (ok|FAILED|ignored)", output, re.MULTILINE)
    return {name: words[word] for name, word in found}


def from_tap(output: str) -> dict[str, str]:
    """Results of the Test Anything Protocol, nested ones by their own name."""
    results = {}
    for fault, name, rest in re.findall(r"^ *(not )?ok \d+ - (.+?)(?: # (SKIP|TODO).*)?$", output, re.MULTILINE):
        results[name] = "skipped" if rest == "SKIP" else "failed" if fault else "passed"
    return results

