"""What the compose file promises beyond its schema: python compose.py compose.yaml [federation, as keys.sh has made it]

Every service is read-only, without capabilities or new privileges, not root; none names a registry; nothing is published but to
this machine; nodes and coordinator hang on the inner network alone; every file that is mounted is here, or made by keys.sh.
"""
import re
import sys
from pathlib import Path

from ruamel.yaml import YAML

path = Path(sys.argv[1])
compose = YAML(typ="safe").load(path)
wrong = []


def holds(name, what, right):
    if not right:
        wrong.append(f"{name}: {what}")


for name, service in compose["services"].items():
    holds(name, "is not read-only", service.get("read_only") is True)
    holds(name, "keeps capabilities", service.get("cap_drop") == ["ALL"] and "cap_add" not in service)
    holds(name, "may gain privileges", "no-new-privileges:true" in service.get("security_opt", []))
    holds(name, "is root", int(str(service.get("user", "0")).split(":")[0]) > 0)
    # The first part of a name with a dot or a port before the slash is a registry.
    default = re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", service["image"])
    holds(name, "names a registry", not re.match(r"[^/]*[.:][^/]*/", default))
    holds(name, "is not the operator's to choose", service["image"].startswith("${"))
    for port in service.get("ports", []):
        holds(name, f"publishes {port}", port.startswith("127.0.0.1:"))
    if "accord" in default and "profiles" not in service:
        holds(name, "is on another network", service["networks"] == ["federation"])
        holds(name, "has no check of health", service["healthcheck"]["test"][-2:] == ["ready", "--quiet"])
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith(".") and not source.startswith(("./federation", "./files")):
            holds(name, f"mounts {source}, which is not here", (path.parent / source).exists())
    for secret in service.get("secrets", []):
        holds(name, f"{secret['source']} is no secret", secret["source"] in compose["secrets"])
holds("federation", "is not internal", compose["networks"]["federation"].get("internal") is True)
for name, secret in compose["secrets"].items():
    holds(name, "is not made by keys.sh", secret["file"].startswith("./federation/secret/"))
nodes = [name for name in compose["services"] if name.endswith("-police")]
holds("nodes", f"are {len(nodes)}, not six", len(nodes) == 6)
if len(sys.argv) > 2:
    made = Path(sys.argv[2])
    for name, secret in compose["secrets"].items():
        file = made / Path(secret["file"]).relative_to("federation")
        holds(name, "is not made", file.is_file())
        holds(name, "is not the user's alone", file.stat().st_mode & 0o777 == 0o400 and file.stat().st_uid == 65532)
    for name in [*nodes, "coordinator"]:
        for file in ["tls.crt", "ca.crt", "staff-ca.crt", "roster.signed", "root.pub"]:
            holds(name, f"{file} is not made", (made / "public" / name / file).is_file())
        for client in (made / "staff" / name).glob("*/client.toml"):
            holds(name, f"{client.parent.name} calls another host", f'address = "{name}:7' in client.read_text())
if wrong:
    sys.exit("\n".join(wrong))
