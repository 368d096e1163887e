# SPDX-License-Identifier: Apache-2.0
"""What strace saw of a tree of processes, and what its trace says of it.

ExecLog reads the output of `strace -f -ttt -e trace=OPTION_TRACE`: every
program image that was started, in which process, below which image, when it
began, and how its process ended.
"""
import re

from harness import check

TRACE = "execve,execveat,fork,vfork,clone,clone3"
LINE = re.compile(r"(?:\[pid +)?(\d+)\]? +(\d+\.\d+) (.*)")
CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?)")
RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)\) += (-?\d+|\?)")
INTERNAL = 1
# How far the times of a span may be from the kernel's: of all but one in a
# hundred, since a loaded machine may take a process's turn away between the two.
SLACK_S = 0.010
SHARE = 0.02
MOST_S = 0.200
LOADING_S = 0.200


class Image:
    """One successful exec."""

    def __init__(self, pid, begin_s, parent, call):
        self.pid, self.begin_s, self.parent, self.call = (pid, begin_s,
                                                          parent, call)
        self.end_s = self.code = None

    def __repr__(self):
        return "%s in %d" % (self.call, self.pid)


class ExecLog:
    def __init__(self, path):
        self.images = []
        self._current = {}      # pid -> its image
        self._leader = {}       # thread -> process
        self._open = {}         # thread -> a call that has not returned
        self._early = {}        # pid -> lines of before its parent's call
        with open(path, encoding="utf-8", errors="replace") as log:
            for line in log:
                self._take(line.rstrip("\n"))
        check(not self._early, "strace: processes of unknown origin: %s",
              list(self._early))

    def _take(self, line):
        match = LINE.match(line)
        check(match, "strace said %r", line)
        pid, time_s, text = int(match[1]), float(match[2]), match[3]
        if not self._leader:
            self._leader[pid] = pid
            self._current[pid] = None
        # A child may be heard of before its parent's call returns.
        if pid not in self._leader:
            self._early.setdefault(pid, []).append((time_s, text))
        else:
            self._event(pid, time_s, text)

    def _event(self, tid, time_s, text):
        if text.startswith("+++ superseded"):
            return              # an exec by another thread
        if text.startswith("+++ "):
            self._ended(tid, time_s, text)
        elif text.endswith("<unfinished ...>"):
            self._open[tid] = (time_s, text)
        elif text.startswith("<... "):
            match = RESUMED.match(text)
            begun_s, begin = self._open.pop(tid, (time_s, ""))
            if match and match[3] != "?":
                self._returned(tid, begun_s, time_s, match[1],
                               begin + match[2], int(match[3]))
        else:
            match = CALL.match(text)
            if match and match[3] != "?":
                self._returned(tid, time_s, time_s, match[1], match[2],
                               int(match[3]))

    def _returned(self, tid, begun_s, time_s, name, arguments, result):
        pid = self._leader[tid]
        if name.startswith("exec"):
            if result == 0:
                image = Image(pid, begun_s, self._current[pid],
                              arguments.partition("(")[2][:60] or
                              arguments[:60])
                image.before = self._current[pid]
                self._current[pid] = image
                self.images.append(image)
        elif result > 0:
            thread = "CLONE_THREAD" in arguments
            self._leader[result] = pid if thread else result
            if not thread:
                self._current[result] = self._current[pid]
            for early_s, text in self._early.pop(result, []):
                self._event(result, early_s, text)

    def _ended(self, tid, time_s, text):
        if self._leader[tid] != tid:
            return
        exited = re.search(r"exited with (\d+)", text)
        code = int(exited[1]) if exited else None
        for image in self.images:
            if image.pid == tid and image.end_s is None:
                image.end_s = time_s
                image.code = code   # None: killed
                image.killed_by = None if exited else \
                    re.search(r"killed by (\w+)", text)[1]


class Times:
    """How far off the times are."""

    def __init__(self):
        self.off = []

    def add(self, shown, what, seen_s, told_ns, length_s):
        off_s = told_ns / 1e9 - seen_s
        if abs(off_s) > max(SLACK_S, SHARE * length_s):
            self.off.append("%s %s %.1f ms off" % (shown, what, 1e3 * off_s))
        check(abs(off_s) <= max(MOST_S, SHARE * length_s),
              "%s %s %.1f ms off", shown, what, 1e3 * off_s)

    def check(self, image_count):
        check(len(self.off) <= max(1, image_count // 100), "of %d: %s",
              image_count, self.off)


def check_end(image, span, shown, times):
    attributes = span["attributes"]
    times.add(shown, "ended", image.end_s, span["end_ns"],
              image.end_s - image.begin_s)
    code, error = attributes.get("process.exit.code"), \
        attributes.get("error.type")
    if image.code is None:
        check(error == image.killed_by and code > 128, "%s: %s, %s, killed by "
              "%s", shown, code, error, image.killed_by)
    else:
        check(code == image.code, "%s: exit code %s, not %s", shown, code,
              image.code)
        check(error == (str(code) if code else None), "%s: error.type %s",
              shown, error)


def below_blind_spot(image, span_of):
    """Nobody there can tell of it."""
    parent = image.parent
    return parent is not None and (
        parent not in span_of or
        "autotrace.blind_spot" in span_of[parent]["attributes"])


def died_loading(image, images):
    """Killed before it could say anything: docs/limits.md."""
    return (image.end_s and image.code is None and
            image.end_s - image.begin_s < LOADING_S and
            not any(other.parent is image for other in images))


def check_tree(log, spans, command_pid=None):
    """Every image is in the trace exactly once, where and when it was."""
    programs = [s for s in spans if s["kind"] == INTERNAL]
    check(len({s["traceId"] for s in spans}) == 1, "several traces")
    check(len({s["resource"]["service.name"] for s in spans}) == 1,
          "several services")
    # The first is `autotrace` itself.
    images = [i for i in log.images if i.parent is not None]
    own = log.images[0]
    by_pid = {}
    for span in programs:
        by_pid.setdefault(span["attributes"]["process.pid"], []).append(span)
    for of_pid in by_pid.values():
        of_pid.sort(key=lambda span: span["start_ns"])
    span_of, times = {}, Times()
    for image in images:
        of_pid = by_pid.get(image.pid, [])
        if not of_pid and (below_blind_spot(image, span_of) or
                           died_loading(image, images)):
            continue
        check(of_pid, "%s is not in the trace", image)
        span_of[image] = of_pid.pop(0)
    left = [s["name"] for of_pid in by_pid.values() for s in of_pid]
    check(not left, "spans of nothing: %s", left)
    for image, span in span_of.items():
        shown = "%s (%s)" % (image, span["name"])
        if image.parent is not own:
            check(span["parentSpanId"] == span_of[image.parent]["spanId"],
                  "%s: parent is %s, not %s", shown, next(
                      (s["name"] for s in spans
                       if s["spanId"] == span["parentSpanId"]),
                      span["parentSpanId"]), image.parent)
        length_s = (image.end_s or image.begin_s) - image.begin_s
        times.add(shown, "began", image.begin_s, span["start_ns"], length_s)
        if image.end_s:
            check_end(image, span, shown, times)
        else:
            check(span["attributes"].get("autotrace.unfinished"),
                  "%s has not ended", shown)
    times.check(len(images))
    return span_of
