"""Builds the wheel: maturin, and before it the programs that `couple` starts and the library that programs load.

    pip wheel ./adapters/python                                  # release
    pip wheel --config-settings profile=dev ./adapters/python    # what `cargo build` has built already
"""

import glob
import json
import os
import shutil
import subprocess

import maturin
from maturin import get_requires_for_build_wheel  # noqa: F401

WORKSPACE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
DATA = os.path.join(WORKSPACE, "target/wheel/couple.data")
# They stand beside `couple`, which looks for them there: the adapters in Rust, and the library.
ADAPTERS = glob.glob(os.path.join(WORKSPACE, "adapters/*/Cargo.toml"))
PACKAGES = ["couple-ffi", *("couple-" + os.path.basename(os.path.dirname(adapter)) for adapter in sorted(ADAPTERS))]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    profile = (config_settings or {}).get("profile", "release")
    shutil.rmtree(DATA, ignore_errors=True)
    scripts = os.path.join(DATA, "scripts")
    os.makedirs(scripts)
    for artifact in cargo_build(profile):
        shutil.copy(artifact, scripts)
    arguments = f"--profile {profile} --locked"
    return maturin.build_wheel(wheel_directory, {"build-args": arguments}, metadata_directory)


def cargo_build(profile):
    """Builds programs and library; gives their files."""
    packages = [argument for package in PACKAGES for argument in ("--package", package)]
    command = ["cargo", "build", "--locked", "--profile", profile, "--message-format", "json-render-diagnostics"]
    output = subprocess.run([*command, *packages], cwd=WORKSPACE, stdout=subprocess.PIPE, check=True).stdout
    for message in map(json.loads, output.splitlines()):
        kinds = message.get("target", {}).get("kind", [])
        if message["reason"] != "compiler-artifact" or not {"bin", "cdylib"} & set(kinds):
            continue
        yield from (file for file in message["filenames"] if not file.endswith((".rlib", ".rmeta")))
