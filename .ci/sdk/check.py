#!/usr/bin/env python3
"""Real OpenTelemetry SDKs against `tracefall listen`: every span that the SDK sent must be in its summary.

    python3 .ci/sdk/check.py target/release/tracefall python
    python3 .ci/sdk/check.py target/release/tracefall node

The application runs with its SDK's defaults (endpoint localhost, ports 4317 and 4318) against a `listen` with its own
defaults. Only when another program has one of these ports are free ones used, and that is said. Exit 0: all accounted
for; 1: something is missing or was refused; 77: not tried, and the last line says why. Standard library only.
"""

import errno
import fcntl
import hashlib
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77
START_SECONDS = 20
APP_SECONDS = 180
STOP_SECONDS = 20

# Per language: the name of a case, and what differs from the SDK's defaults.
CASES = {
    "python": {
        "grpc": {},
        "http-protobuf": {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
    },
    "node": {
        "http-json": {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
        "http-protobuf-gzip": {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"},
    },
}

# What an SDK sends beside spans when nobody tells it otherwise.
ALSO_SENT = {"python": ("logs", "metrics"), "node": ("metrics",)}

UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectionError|ConnectTimeout|ReadTimeout|Temporary failure in name|Network is unreachable"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network request .* failed"
)
EXPORT_TROUBLE = re.compile(
    r"(fail|error|exception|retry|drop|reject|partial|timeout|timed out).*(export|otlp|batch|queue|span|metric)"
    r"|(export|otlp|batch|queue).*(fail|error|exception|retry|drop|reject|partial|timeout|timed out)"
    r"|nothing can be instrumented",
    re.IGNORECASE,
)


class Skip(Exception):
    """The check cannot be tried here, for the reason given."""


class Failure(Exception):
    """The check was tried and something is wrong."""


def install(language):
    """Installs what the application needs outside the repository, once for each version of its lock file."""
    lock = HERE / language / {"python": "requirements.txt", "node": "package-lock.json"}[language]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tracefall-ci"
    place = cache / f"{language}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    place.mkdir(parents=True, exist_ok=True)
    with open(place / ".lock", "w", encoding="utf-8") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (place / ".complete").exists():
            print(f"installing the {language} packages into {place}", flush=True)
            {"python": install_python, "node": install_node}[language](place)
            (place / ".complete").touch()
    return place


def install_python(place):
    if sys.version_info < (3, 10):
        raise Skip(f"Python {sys.version.split()[0]} is older than 3.10, which the packages need")
    must([sys.executable, "-m", "venv", "--clear", place / "venv"], "a virtual environment cannot be made", skip=True)
    pip = [place / "venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    must([*pip, "--requirement", HERE / "python/requirements.txt"], "pip failed")


def install_node(place):
    if not (shutil.which("npm") and shutil.which("node")):
        raise Skip("npm or node is not installed")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "node" / name, place)
    must(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], "npm failed", cwd=place)


def must(command, complaint, cwd=None, skip=False):
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode == 0:
        return
    output = done.stdout + done.stderr
    print(output[-4000:])
    if UNREACHABLE.search(output):
        raise Skip("the package registry cannot be reached")
    raise (Skip if skip else Failure)(complaint)


def command_of(language, place):
    """The application's command line, and the folder it runs in."""
    if language == "python":
        tools = place / "venv/bin"
        return [tools / "opentelemetry-instrument", tools / "python", HERE / "python/app.py"], place
    # Node looks for packages beside the file, so the two files go where the packages are.
    for name in ("ledger.cjs", "app.cjs"):
        shutil.copy(HERE / "node" / name, place)
    register = "@opentelemetry/auto-instrumentations-node/register"
    return [place / "node_modules/.bin/node", "--require", "./ledger.cjs", "--require", register, "app.cjs"], place


def port_is_free(port):
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            probe = socket.socket(family)
        except OSError:
            continue
        with probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                # No IPv6 on this machine is no reason against the port.
                if error.errno != errno.EADDRNOTAVAIL:
                    return False
    return True


class Listen:
    """A running `tracefall listen --json`."""

    def __init__(self, program, home):
        self.default_ports = port_is_free(4317) and port_is_free(4318)
        command = [program, "listen", "--json", "--for", f"{APP_SECONDS + 60}s"]
        if not self.default_ports:
            print("port 4317 or 4318 is taken by another program: free ports and OTEL_EXPORTER_OTLP_ENDPOINT instead")
            command += ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACEFALL_")}
        places = ("CONFIG_HOME", "STATE_HOME", "DATA_HOME", "CACHE_HOME", "RUNTIME_DIR")
        environment |= {name: str(home) for name in ("HOME", *(f"XDG_{place}" for place in places))}
        self.process = subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.said = queue.Queue()
        self.complaints = []
        self.printed = []
        self.readers = [
            threading.Thread(target=self.read_stderr, daemon=True),
            threading.Thread(target=lambda: self.printed.extend(self.process.stdout), daemon=True),
        ]
        for reader in self.readers:
            reader.start()
        self.doors = self.wait_for_doors()

    def read_stderr(self):
        for line in self.process.stderr:
            self.complaints.append(line)
            self.said.put(line)
        self.said.put(None)

    def wait_for_doors(self):
        """The first address of each protocol, by its name."""
        doors = {}
        while len(doors) < 2:
            try:
                line = self.said.get(timeout=START_SECONDS)
            except queue.Empty:
                line = None
            if line is None:
                self.process.kill()
                raise Failure(f"`listen` did not say where it listens; it said:\n{''.join(self.complaints)}")
            if door := re.match(r"listening OTLP/(gRPC|HTTP) (\S+)", line):
                doors.setdefault(door[1], door[2])
        return doors

    def endpoint(self, protocol):
        return "http://" + self.doors["gRPC" if protocol == "grpc" else "HTTP"]

    def summary(self):
        """Ends it as a supervisor would, and reads the last line."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure(f"`listen` still ran {STOP_SECONDS} s after SIGTERM") from None
        for reader in self.readers:
            reader.join()
        if code != 0:
            raise Failure(f"`listen` ended with {code}:\n{''.join(self.complaints)}")
        try:
            return json.loads(self.printed[-1])
        except (IndexError, ValueError):
            raise Failure(f"the last line of `listen --json` is no JSON: {self.printed[-1:]}") from None


def run_application(language, place, case, endpoint, scratch):
    """Runs the application to its end; the ledger of what its SDK sent."""
    ledger = scratch / "ledger.json"
    command, folder = command_of(language, place)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OTEL_") and not name.lower().endswith("_proxy")
    }
    environment |= CASES[language][case]
    environment |= {
        "OTEL_SERVICE_NAME": f"{language}-{case}",
        # Node's SDK keeps what goes wrong to itself unless asked.
        "OTEL_LOG_LEVEL": "warn",
        # All of Node's defaults but the detectors that ask a cloud's metadata address: this stays on this machine.
        "OTEL_NODE_RESOURCE_DETECTORS": "env,host,os,process",
        "SDK_CHECK_LEDGER": str(ledger),
    }
    if endpoint:
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=APP_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Failure(f"the application still ran after {APP_SECONDS} s") from None
    output = done.stdout + done.stderr
    if done.returncode != 0:
        raise Failure(f"the application ended with {done.returncode}:\n{output[-4000:]}")
    if trouble := [line for line in output.splitlines() if EXPORT_TROUBLE.search(line)]:
        raise Failure("the SDK complained:\n" + "\n".join(trouble))
    return json.loads(ledger.read_text(encoding="utf-8"))


def differences(language, service, sent, summary):
    """What the summary of `listen` says otherwise than the SDK's ledger."""
    ended, delivered = sent["ended"], sent["delivered"]
    seen = summary["services"].get(service, {})
    wanted = {key: ended[key] for key in ("spans", "traces", "errors")} | {key: delivered[key] for key in ("logs", "metrics")}
    found = [f"{key}: sent {count}, seen {seen.get(key)}" for key, count in wanted.items() if seen.get(key) != count]
    # A short statement that fills its trace is slow too, so there may be more than the ledger counts by duration alone.
    if not 1 <= ended["slow_sql"] <= seen.get("slow_sql", 0):
        found.append(f"slow_sql: at least {ended['slow_sql']} (and 1), seen {seen.get('slow_sql')}")
    if sent["failed_exports"] or delivered["spans"] != ended["spans"]:
        found.append(f"the SDK delivered {delivered['spans']} of {ended['spans']} spans; {sent['failed_exports']} exports failed")
    for key in ("spans", "errors"):
        if not ended[key]:
            found.append(f"{key}: the application made none")
    found += [f"{key}: the SDK sends them by default, but sent none" for key in ALSO_SENT[language] if not delivered[key]]
    if others := sorted(summary["services"].keys() - {service}):
        found.append(f"services nobody ran: {others}")
    if any(summary["rejected"].values()) or any(summary["evicted"].values()):
        found.append(f"rejected {summary['rejected']}, evicted {summary['evicted']}")
    return found


def check(program, language, place, case):
    with tempfile.TemporaryDirectory(prefix="tracefall-sdk-") as scratch:
        scratch = Path(scratch)
        listen = Listen(program, scratch)
        try:
            protocol = CASES[language][case].get("OTEL_EXPORTER_OTLP_PROTOCOL", {"python": "grpc", "node": "http"}[language])
            endpoint = None if listen.default_ports else listen.endpoint(protocol)
            sent = run_application(language, place, case, endpoint, scratch)
            summary = listen.summary()
        finally:
            listen.process.kill()
            listen.process.wait()
    service = f"{language}-{case}"
    print(f"{service}: sent {json.dumps(sent)}\n{service}: seen {json.dumps(summary)}", flush=True)
    return differences(language, service, sent, summary)


def main():
    program, language = Path(sys.argv[1]).resolve(), sys.argv[2]
    try:
        place = install(language)
    except Skip as reason:
        print(f"{language}: {reason}")
        return SKIPPED
    except Failure as reason:
        print(f"{language}: {reason}")
        return 1
    failed = 0
    for case in CASES[language]:
        try:
            found = check(program, language, place, case)
        except Failure as reason:
            found = [str(reason)]
        print(f"{language}-{case}: {'every span accounted for' if not found else 'NOT all accounted for'}")
        for line in found:
            print(f"  {line}")
        failed += bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
