"""A git repository of 20,000 files with worktrees, submodules, large files and odd names."""
import os
import pathlib

from strangers.bed import Bed

FILES = 20_000
FILES_OF_A_DIRECTORY = 100
LARGE_BYTES = 24 << 20
# Names that a file system takes and programs stumble over.
ODD_NAMES = [
    b"with space.txt", b"tab\there.txt", b"new\nline.txt", b"\xff\xfe not text.txt", "größe.txt".encode(),
    b"-dash", b"quote'\"`$().txt", b"CASE.txt", b"case.txt", b"Case.txt", b"back\\slash", b"n" * 255, b"#hash",
    b"~tilde", "e\u0301 and \u00e9".encode(), b"trailing. ",
]

MAKE = r"""
set -e
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=protocol.file.allow GIT_CONFIG_VALUE_0=always
date='2026-01-02T03:04:05Z'; export GIT_AUTHOR_DATE="$date" GIT_COMMITTER_DATE="$date"
git init -q -b main . && git config user.name Tester && git config user.email tester@example.invalid
git config gc.auto 0
git add -A && git commit -qm first
git init -q -b main ../home/library
(cd ../home/library && git config user.name Tester && git config user.email tester@example.invalid &&
    echo library >a.txt && git add -A && git commit -qm library)
git submodule --quiet add ../home/library modules/library && git commit -qm submodule
git branch side && git worktree add -q trees/side side
git repack -q -a -d
for number in 1 2 3; do echo "$number" >"part0/file$number.txt"; git commit -qam "change $number"; done
git tag -a v1 -m v1
"""

# Each step prints a digest of what it said, so that a step that answers differently inside is named.
WORK = r"""
set -u
date='2026-02-03T04:05:06Z'; export GIT_AUTHOR_DATE="$date" GIT_COMMITTER_DATE="$date"
step() {
    name=$1; shift
    if said=$("$@" 2>&1); then word=PASS; else word=FAIL; fi
    echo "$word: $name $(printf '%s' "$said" | sha256sum | cut -c1-12)"
    [ "$word" = PASS ] || printf '%s\n' "$said" | tail -n 5
}
step status git status --porcelain=v2 --branch
step files git ls-files -z --stage
step grep git grep -c 'line 77 ' -- 'part1*'
step log git log --all --graph --oneline
step fsck git fsck --no-progress
step worktrees sh -c 'git worktree list --porcelain | sed "s#$PWD##"'
step side-status git -C trees/side status --porcelain
step submodules git submodule status
step submodule-log git -C modules/library log --oneline
step large sha256sum large/one.bin large/hole.bin
step odd-names sh -c 'find odd -print0 | LC_ALL=C sort -z | sha256sum'
step branch git checkout -q -b work
step edit sh -c 'for n in 11 12 13; do echo edited >>"part$n/file5.txt"; done; git mv odd/-dash odd/moved'
step remove git rm -q -r part150
# A directory that was there before the run cannot be renamed in one step on an overlay; see the exceptions.
if git mv part151 renamed 2>/dev/null; then echo 'PASS: rename-directory'; else echo 'FAIL: rename-directory'; fi
[ -d renamed ] || { mv part151 renamed && git add -A part151 renamed; }
step commit git commit -qam 'work behind or outside'
step stash sh -c 'echo more >>part1/file1.txt && git stash -q && git stash pop -q && git checkout -q .'
step merge sh -c 'git checkout -q main && git merge -q --no-ff -m merge work'
step archive sh -c 'git archive HEAD | sha256sum'
step diff git diff --stat HEAD~1
step clean-status git status --porcelain
step head git rev-parse HEAD
"""


def prepare(bed: Bed, cache: pathlib.Path) -> None:
    del cache
    root = os.fsencode(bed.project)
    for number in range(FILES // FILES_OF_A_DIRECTORY):
        directory = root + f"/part{number}".encode()
        os.mkdir(directory)
        for index in range(FILES_OF_A_DIRECTORY):
            with open(directory + f"/file{index}.txt".encode(), "wb") as file:
                file.write(f"line {number} of file {index}\n".encode() * (1 + index % 7))
    os.mkdir(root + b"/odd")
    for name in ODD_NAMES:
        with open(root + b"/odd/" + name, "wb") as file:
            file.write(name)
    os.makedirs(root + b"/odd/" + b"/".join([b"deep" * 20] * 12))
    os.symlink(b"../part0", root + b"/odd/link")
    os.mkdir(root + b"/large")
    with open(root + b"/large/one.bin", "wb") as file:
        file.write(b"0123456789abcdef" * (LARGE_BYTES // 16))
    with open(root + b"/large/hole.bin", "wb") as file:
        file.truncate(LARGE_BYTES * 4)
    bed.own(bed.project)
    bed.write("tools/work.sh", WORK.lstrip())
    bed.must(["sh", "-c", MAKE])
