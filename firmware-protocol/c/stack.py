#!/usr/bin/env python3
"""The deepest stack from a function on, in bytes: python3 stack.py ROOT... -- FILE.ci...

Reads what gcc -fcallgraph-info=su says: the frame of each function and whom it calls. Of a call through a pointer the source line says what it is:
the integrator's (hooks, line), which is not counted, or the transport's, which is; anything else is an error. Recursion must be listed with its
depth, or is an error.
"""
import re
import sys

TRANSPORT = ["transport_poll", "transport_open", "transport_close", "transport_ready", "transport_send"]
# Messages in messages: outcome and its text; heartbeat, place and its cell.
DEPTH = {"dhp_decode": 2, "decode_bytes": 2, "dhp_encode": 3, "encode_field": 3, "dhp_encode_message": 2}
# The serial transport tells the terminal of frames and of the link's end, which may send or close, but not receive again.
ONCE = {"transport_poll"}


def plain(title):
    """A function's name without its file, and without what the compiler adds to those that it makes of it."""
    return title.split(":")[-1].split(".")[0]


def pointed(label):
    """Whom the call through a pointer that stands at FILE:LINE:COLUMN is for, or None: the integrator."""
    path, line, _ = label.rsplit(":", 2)
    source = open(path).read().splitlines()[int(line) - 1]
    called = re.search(r"\b(transport|hooks|line)->(\w+)\(", source)
    if called is None:
        sys.exit(f"{label}: who is called here? {source.strip()}")
    return "transport_" + called.group(2) if called.group(1) == "transport" else None


def main():
    roots = sys.argv[1:sys.argv.index("--")]
    frame, calls = {}, {}
    for path in sys.argv[sys.argv.index("--") + 1:]:
        text = open(path).read()
        for title, label in re.findall(r'node: \{ title: "([^"]+)" label: "([^"]+)"', text):
            size = re.search(r"(\d+) bytes \((static|dynamic[^)]*)\)", label)
            if size:
                if size.group(2) != "static":
                    sys.exit(f"{title}: its stack is not bounded")
                frame[title] = int(size.group(1))
        for source, target, label in re.findall(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"(?: label: "([^"]+)")?', text):
            target = pointed(label) if target == "__indirect_call" else target
            if target is not None:
                calls.setdefault(source, set()).add(target)
    named = {}
    for title in frame:
        named.setdefault(plain(title), []).append(title)

    missing = {name for names in calls.values() for name in names if name in TRANSPORT and name not in named}
    if missing:
        sys.exit(f"no frame is known of {', '.join(sorted(missing))}")

    def targets(title):
        for target in calls.get(title, ()):
            yield from [target] if target in frame else named.get(plain(target), [])

    def deepest(title, path):
        name = plain(title)
        if path.count(title) >= DEPTH.get(name, 1):
            if name not in DEPTH and name not in TRANSPORT and not any(plain(p) in TRANSPORT for p in path[path.index(title):]):
                sys.exit("recursion: " + " > ".join(plain(p) for p in path + [title]))
            return 0, []
        if name in ONCE and any(plain(p) in ONCE for p in path):
            return 0, []
        best, chain = 0, []
        for target in targets(title):
            size, names = deepest(target, path + [title])
            if size > best:
                best, chain = size, names
        return best + frame[title], [f"{name} {frame[title]}"] + chain

    answers = [deepest(title, []) for root in roots for title in named[root]]
    size, chain = max(answers)
    print(size)
    print(" > ".join(chain), file=sys.stderr)


main()
