#!/usr/bin/env python3
"""Verify the journals of Bailey projects, independently of Bailey: hashes, durable marks, heads, checkpoint.

    verify-journal.py PROJECT/.bailey... [--key STATE/signing.pub]

Prints the first bad line of each run; exits 1 if there is one. Without --key the checkpoint's signature is not judged.
"""
import base64, functools, hashlib, json, math, os, re, stat, subprocess, sys, tempfile

LINE_MAX, DEPTH_MAX, NUMBER_MAX = 1 << 20, 32, 64
LINE = re.compile(
    rb'\{"v":1,"seq":([1-9][0-9]{0,18}),"ts":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z",'
    rb'"run":"([a-z0-9_]{1,64})","type":"([A-Z_]{1,64})","prev":"([0-9a-f]{64})","actor":"[A-Za-z0-9:._%-]{1,128}",'
    rb'"data":(\{.*\})\}', re.DOTALL)
RUN = re.compile(r"r_[a-z0-9_]{1,62}")
NOTE = re.compile(
    "(bailey/(p_[a-z0-9_]{1,62})\n(0|[1-9][0-9]{0,19})\n([A-Za-z0-9+/=]+)\n)\n\u2014 ([^ \n]+) ([A-Za-z0-9+/=]+)\n")
sha256 = lambda data: hashlib.sha256(data).digest()


class Bad(Exception):
    """What is wrong, and from which line on (None where no line is to blame)."""
    def __init__(self, reason, line=None):
        super().__init__(reason)
        self.line = line


def number(text, kind):
    if len(text) > NUMBER_MAX or math.isinf(float(text)):
        raise ValueError("a number is out of range")
    return kind(text)


def members(pairs):
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return dict(pairs)


def check(value, depth=0):
    if depth > DEPTH_MAX:
        raise ValueError("values are nested too deep")
    if isinstance(value, str):
        value.encode()  # a lone surrogate is no text
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    for part in value if isinstance(value, list) else []:
        check(part, depth + 1)


def parse(data):
    def refuse(name):
        raise ValueError(name)
    value = json.loads(data.decode(), object_pairs_hook=members, parse_constant=refuse,
                       parse_int=lambda text: number(text, int), parse_float=lambda text: number(text, float))
    check(value)
    return value


def read(path, limit=1 << 30):
    """A regular file's bytes; None if there is none; symbolic links are refused."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Bad("is no file")
            data = file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Bad("cannot be read: %s" % error)
    if len(data) > limit:
        raise Bad("is too long")
    return data


def journal(directory, name):
    """All whole lines of a journal as (type, data, leaf), None if there is none, and what is wrong."""
    faults, lines = [], []
    try:
        if os.path.islink(directory):
            raise Bad("is no directory")
        head, data = read(directory + "/head", 4096), read(directory + "/journal.jsonl")
    except Bad as fault:
        return None, [fault]
    if data is None:
        return None, faults
    found = re.fullmatch(rb"([0-9]{20}) ([0-9]{20}) ([0-9a-f]{64})\n", head or b"")
    is_mark = found and max(int(found[1]), int(found[2])) < 1 << 64
    mark = (int(found[1]), int(found[2]), bytes.fromhex(found[3].decode())) if is_mark else None
    if data and not mark:
        faults.append(Bad("has no durable mark"))
    leaf, offset, ended = sha256(b"bailey-genesis-v1:" + name.encode()), 0, False
    reached = mark is None or mark == (0, 0, leaf)
    while offset < len(data):
        end = data.find(b"\n", offset, offset + LINE_MAX + 1)
        line, where = data[offset:end], len(lines) + 1
        if end < 0:
            if len(data) - offset > LINE_MAX or not reached or not mark:
                faults.append(Bad("is too long or not finished", where))
            return lines, faults
        try:
            match = LINE.fullmatch(line)
            if ended or not match:
                raise ValueError("follows the run's end" if ended else "is no journal line")
            if int(match[1]) != where or match[2].decode() != name or match[4].decode() != leaf.hex():
                raise ValueError("does not continue the chain")
            value = parse(match[5])
        except (ValueError, RecursionError) as error:
            return lines, faults + [Bad(str(error), where)]
        leaf, offset = sha256(b"\0" + line), end + 1
        ended = name != "authority" and match[3] in (b"RUN_COMPLETED", b"RUN_FAILED")
        lines.append((match[3].decode(), value, leaf))
        if mark and mark[0] == where:
            reached = mark == (where, offset, leaf)
            if not reached:
                return lines[:-1], faults + [Bad("is not the line that was known to be durable", where)]
    if not reached:
        faults.append(Bad("is missing: the journal was longer once", max(mark[0], 1)))
    return lines, faults


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root(leaves[:split]) + root(leaves[split:]))


@functools.lru_cache(maxsize=None)
def valid_signature(pem, message, signature):
    try:
        with tempfile.TemporaryDirectory() as folder:
            names = [folder + "/" + name for name in ("key", "message", "signature")]
            for name, content in zip(names, (pem, message, signature)):
                with open(name, "wb") as file:
                    file.write(content)
            command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", names[0], "-rawin", "-in", names[1]]
            return subprocess.run([*command, "-sigfile", names[2]], capture_output=True).returncode == 0
    except FileNotFoundError:
        return ed25519(base64.b64decode(pem.split(b"\n")[1])[-32:], message, signature)


def ed25519(key, message, signature):
    """RFC 8032, for machines without openssl."""
    p, order = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, p - 2, p) % p

    def point(data):
        y = int.from_bytes(data, "little") & (1 << 255) - 1
        x2 = (y * y - 1) * pow(d * y * y + 1, p - 2, p) % p
        x = pow(x2, (p + 3) // 8, p)
        x = x if x * x % p == x2 else x * pow(2, (p - 1) // 4, p) % p
        if y >= p or x * x % p != x2 or (x == 0 and data[31] >> 7):
            return None
        return (x if x & 1 == data[31] >> 7 else p - x), y

    def add(a, b):
        k = d * a[0] * b[0] * a[1] * b[1] % p
        x, y = (a[0] * b[1] + a[1] * b[0]) * pow(1 + k, p - 2, p), (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, p - 2, p)
        return x % p, y % p

    def times(n, a):
        total = (0, 1)
        while n:
            total, a, n = add(total, a) if n & 1 else total, add(a, a), n >> 1
        return total
    public, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if public is None or r is None or s >= order:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % order
    return times(s, point(bytes([0x58] + [0x66] * 31))) == add(r, times(challenge, public))


def checkpoint(note, pem):
    """Size and root of a signed note."""
    try:
        body, _, size, encoded, name, signed = NOTE.fullmatch(note.decode()).groups()
        digest, signature = base64.b64decode(encoded, validate=True), base64.b64decode(signed, validate=True)
        canonical = base64.b64encode(digest).decode() == encoded and base64.b64encode(signature).decode() == signed
    except (AttributeError, ValueError):
        raise Bad("is no signed note")
    fits = len(digest) == 32 and len(signature) == 68 and name == body.split("\n")[0] and int(size) < 1 << 64
    if not canonical or not fits:
        raise Bad("is no signed note")
    if pem:
        key = base64.b64decode(pem.split(b"\n")[1])[-32:]
        hint = sha256(name.encode() + b"\n\1" + key)[:4]
        if hint != signature[:4] or not valid_signature(pem, body.encode(), signature[4:]):
            raise Bad("has a wrong signature")
    return int(size), digest


def verify(bailey, pem):
    """Every fault of a project as (subject, line, reason)."""
    found, heads, pruned, sealed = [], {}, set(), None
    try:
        note = read(bailey + "/authority/checkpoint", 16 << 10)
        sealed = checkpoint(note, pem) if note is not None else None
    except Bad as fault:
        note = b""
        found.append(("checkpoint", None, str(fault)))
    lines, faults = journal(bailey + "/authority", "authority")
    found += [("authority", fault.line, str(fault)) for fault in faults]
    for where, (kind, data, _) in enumerate(lines or [], 1):
        run, size, leaf = data.get("run"), data.get("size"), data.get("head")
        if kind == "RUN_PRUNED" and isinstance(run, str):
            pruned.add(run)
        if kind == "RUN_HEAD" and isinstance(run, str):
            if type(size) is not int or not 0 <= size < 1 << 64 or not isinstance(leaf, str) \
                    or not re.fullmatch("[0-9a-f]{64}", leaf) or heads.get(run, {}).get(size, leaf) != leaf:
                found.append(("authority", where, "holds no head, or contradicts an earlier one"))
            else:
                heads.setdefault(run, {})[size] = leaf
    if lines is None:
        if sealed and sealed[0] and not faults:
            found.append(("authority", 1, "is missing"))
    elif note is None and lines:
        found.append(("checkpoint", None, "is missing"))
    elif sealed and (sealed[0] > len(lines) or root([leaf for _, _, leaf in lines[:sealed[0]]]) != sealed[1]):
        found.append(("checkpoint", None, "does not match the journal's lines"))
    names = sorted(os.listdir(bailey + "/runs")) if os.path.isdir(bailey + "/runs") else []
    for run in filter(RUN.fullmatch, names):
        found += [(run, line, reason) for line, reason in verify_run(bailey + "/runs/" + run, run, heads.get(run, {}))]
    lost = sorted(set(heads) - set(names) - pruned)
    return found + [(run, None, "is missing, and no record says that it was pruned") for run in lost]


def verify_run(directory, run, known):
    if os.path.islink(directory) or not os.path.isdir(directory):
        return [(None, "is no directory")]
    lines, faults = journal(directory + "/journal", run)
    found = [(fault.line, str(fault)) for fault in faults]
    for size, leaf in sorted(known.items()):
        if lines is not None and 0 < size <= len(lines) and lines[size - 1][2].hex() != leaf:
            return found + [(size, "is not the line that the authority recorded")]
    if max(known, default=0) > len(lines or []) and not any(line for line, _ in found):
        found.append((len(lines or []) + 1, "is missing: the journal was longer once"))
    return found


def main(arguments):
    pem, projects = None, list(arguments)
    if "--key" in projects:
        where = projects.index("--key")
        with open(projects[where + 1], "rb") as file:
            pem = file.read()
        del projects[where:where + 2]
    if not projects:
        sys.exit(__doc__)
    is_good = True
    for bailey in projects:
        first = {}
        for subject, line, reason in verify(bailey, pem):
            if subject not in first or (line or 0) < (first[subject][0] or 0):
                first[subject] = (line, reason)
        for subject, (line, reason) in sorted(first.items()):
            print("%s: %s: line %s %s" % (bailey, subject, line or "-", reason))
        print("%s: %s" % (bailey, "bad" if first else "good"))
        is_good = is_good and not first
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
