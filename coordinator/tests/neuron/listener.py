"""Writes down when spikes come."""

import json

import couple

heard = []
with couple.connect() as session:
    ears = session.input("ears")
    for window in session:
        times_ns, _ = ears.read()
        heard += times_ns.tolist()
with open("heard.json", "w") as out:
    json.dump(heard, out)
