#!/usr/bin/env python3
"""What a program is made of, as CycloneDX 1.6 JSON: sbom.py accord-node > accord-node.cdx.json

Comes in: `cargo metadata` and Cargo.lock of this repository. Goes out: every package that is compiled into the program, with
version, licence, SHA-256 of its source and who needs whom. The same repository gives the same bytes.
`sbom.py --licences FILE` instead refuses a package whose licence .cargo/deny.toml does not allow.
"""
import json
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = "x86_64-unknown-linux-gnu"


def cargo_metadata():
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


def compiled_in(metadata, program):
    """Package ids that the program is linked from, and their edges. What only builds or tests it is left out."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    start = next(package["id"] for package in metadata["packages"] if package["name"] == program)
    edges, open_ids = {}, [start]
    while open_ids:
        here = open_ids.pop()
        if here in edges:
            continue
        normal = [
            dep["pkg"] for dep in nodes[here]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])
        ]
        edges[here] = sorted(normal)
        open_ids += normal
    return start, edges


def component(package, checksums):
    name, version = package["name"], package["version"]
    purl = f"pkg:cargo/{name}@{version}"
    found = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if package["license"]:
        # Older packages write a slash for OR.
        found["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if (name, version) in checksums:
        found["hashes"] = [{"alg": "SHA-256", "content": checksums[name, version]}]
    if package["repository"]:
        found["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return found


def bom(program):
    metadata = cargo_metadata()
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {(p["name"], p["version"]): p["checksum"] for p in lock["package"] if "checksum" in p}
    start, edges = compiled_in(metadata, program)
    all_of = {package["id"]: package for package in metadata["packages"] if package["id"] in edges}
    components = {id: component(package, checksums) for id, package in all_of.items()}
    reference = {id: one["bom-ref"] for id, one in components.items()}
    subject = components.pop(start) | {"type": "application"}
    text = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": sorted(components.values(), key=lambda one: one["bom-ref"]),
        "dependencies": [
            {"ref": reference[id], "dependsOn": [reference[below] for below in edges[id]]}
            for id in sorted(edges, key=reference.get)
        ],
    }
    text["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(text, sort_keys=True))}"
    return text


def allowed(expression, names):
    """Whether an SPDX expression can be met by the licences that are allowed."""
    words = re.findall(r"[()]|[A-Za-z0-9.+-]+(?: WITH [A-Za-z0-9.-]+)?", expression.replace("/", " OR "))
    translated = [word.lower() if word in {"AND", "OR", "(", ")"} else str(word in names) for word in words]
    return eval(" ".join(translated))  # only True, False, and, or, brackets


def check_licences(policy):
    licences = tomllib.loads(Path(policy).read_text())["licenses"]
    names = set(licences["allow"])
    besides = {one["crate"]: names | set(one["allow"]) for one in licences.get("exceptions", [])}
    metadata = cargo_metadata()
    ours = set(metadata["workspace_members"])
    wrong = [
        f"{package['name']} {package['version']}: {package['license']}"
        for package in metadata["packages"]
        if package["id"] not in ours
        and not (package["license"] and allowed(package["license"], besides.get(package["name"], names)))
    ]
    used = {
        word
        for package in metadata["packages"]
        for word in re.findall(r"[A-Za-z0-9.+-]+(?: WITH [A-Za-z0-9.-]+)?", package["license"] or "")
    }
    wrong += [f"allowed, and no package has it: {name}" for name in sorted(names - used)]
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--licences":
        check_licences(sys.argv[2])
    elif len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
        json.dump(bom(sys.argv[1]), sys.stdout, indent=1)
        print()
    else:
        sys.exit(__doc__)
