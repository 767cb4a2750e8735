"""A muscle: spikes of motor neurons pull it together, and its stretch receptors fire while it is long."""

from couple.session import Session

session = Session()
step = session.description["step_ns"]
stretch = next(p for p in session.description["populations"] if p["name"] == "stretch")
endplates = next(i for i in session.description["inputs"] if i["target"] == "endplates")

session.start()
pull = 0
for start, end in session.windows():
    spikes = iter(session.input_events(endplates["index"]) + [(end + 1, None)])  # ordered by time, and a last one
    time, _ = next(spikes)
    for now in range(start + step, end + 1, step):
        pull -= pull // 16
        while time <= now:
            pull += 1
            time, _ = next(spikes)
        receptor = now // step % stretch["size"]
        if pull < 8 * (receptor + 1):
            session.emit(stretch["output"], receptor, now)
session.finish()
