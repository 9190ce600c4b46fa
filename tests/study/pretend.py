"""Stands in for `vitlab.study.worker`: speaks as it does and trains nothing. Started with the path of its script.

What a run does: "finish" with its `metrics`, the default; "fail", with a record of its own; "refuse", with none;
"die" by a signal; "wait", in training, for a signal that it obeys; "hang", while it gets ready, until a signal ends it.
"""

import json
import os
import signal
import sys
import threading
import time

SCRIPT = sys.argv[1]
COUNTS = {"train": 90, "val": 10, "test": 40}


def script():
    with open(SCRIPT) as file:
        return json.load(file)


def say(**message):
    print(json.dumps(message), flush=True)


def note(**message):
    with open(script()["log"], "a") as file:
        file.write(json.dumps(message) + "\n")


def record(run, status, reason, metrics):
    folder = run["folder"]
    os.makedirs(folder, exist_ok=True)
    declared = {"schema": 2, "recipe": run["recipe"], "id": "", "spec": run["spec"], "metrics": {}}
    for name, values in (
        ("spec.json", {**declared, "selects": "val_top1"}),
        ("data.json", {"order": "exact", **{k: {"images": n} for k, n in COUNTS.items()}}),
        ("result.json", {"status": status, "reason": reason, "metrics": metrics}),
    ):
        with open(os.path.join(folder, name), "w") as file:
            json.dump(values, file)


def measure(message, asked):
    note(do="measure", runs=len(message["specs"]), overrides=message["overrides"])
    paces = script()["paces"]
    if "hang" in paces:
        note(do="waiting")
        time.sleep(20)
        note(do="measured")
    if "refuse" in paces:
        return {"failed": paces["refuse"]}
    if len(message["specs"]) > 1 and "refuse_stacks" in paces:
        return {"failed": paces["refuse_stacks"]}
    say(ready=True)
    asked.readline()
    seconds = paces.get("stacked" if len(message["specs"]) > 1 else "alone", 0.01)
    return {"seconds": seconds, "steps_per_epoch": 10.0}


def train(message):
    names = [run["folder"].split("/runs/")[1] for run in message["runs"]]
    note(
        do="train",
        runs=names,
        overrides=message["overrides"],
        recipes=[run["recipe"] for run in message["runs"]],
        pid=os.getpid(),
    )
    answer = {"done": True}
    for run, name in zip(message["runs"], names, strict=True):
        told = script()["runs"].get(name, {})
        does = told.get("does", "finish")
        if does == "finish":
            time.sleep(told.get("seconds", 0))
            record(run, "finished", None, told.get("metrics", {"test_top1": 0.5, "val_top1": 0.5}))
        elif does == "fail":
            record(run, "failed", told["reason"], {"steps": 3})
            answer = {"failed": told["reason"]}
        elif does == "refuse":
            return {"failed": told["reason"]}
        elif does == "die":
            os.kill(os.getpid(), told.get("signum", signal.SIGKILL))
        elif does == "wait":
            signum = signal_that_comes()
            record(run, "interrupted", f"signal {signum}", {"steps": 3})
            return {"interrupted": 128 + signum}
        elif does == "hang":
            note(do="waiting")
            time.sleep(60)
    return answer


def signal_that_comes():
    came = []
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda number, frame: came.append(number))
    note(do="waiting")
    while not came:
        time.sleep(0.01)
    return came[0]


def listen():
    for line in sys.stdin:
        os.write(ours, line.encode())
    os._exit(0)  # as the real one: whoever asked is gone


theirs, ours = os.pipe()
threading.Thread(target=listen, daemon=True).start()
asked = os.fdopen(theirs)
while True:
    message = json.loads(asked.readline())
    if message["do"] == "time":
        refusal = script()["paces"].get("refuse")
        timed = {"timed": [[[0.01, 1e-4, 1.0]] * message["rounds"] for _ in message["jobs"]]}
        say(**({"failed": refusal} if refusal else timed))
    else:
        say(**(measure(message, asked) if message["do"] == "measure" else train(message)))
