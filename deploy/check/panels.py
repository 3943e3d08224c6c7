"""Every expression of a dashboard as a recording rule, for `promtool check rules`: python panels.py accord.json > rules.json"""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    dashboard = json.load(file)
targets = [target for panel in dashboard["panels"] for target in panel.get("targets", [])]
filled = [target["expr"].replace("$instance", ".*").replace("$__rate_interval", "5m") for target in targets]
rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(filled)]
json.dump({"groups": [{"name": "panels", "rules": rules}]}, sys.stdout)
