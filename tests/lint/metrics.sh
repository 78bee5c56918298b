#!/bin/bash
# Alerts and dashboard name metrics that there are, Prometheus reads each expression of theirs, and the alerts fire on what
# they are for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$1"/docs/alerts.yml "$1"/tests/lint/alerts.test.yml "$work"
python3 - "$1" > "$work/dashboard.yml" <<'PYTHON'
import json, pathlib, re, sys
root = pathlib.Path(sys.argv[1])
known = set(re.findall(r'gauge\("(commento_\w+)"', (root / "src/metrics/to_text.cpp").read_text()))
board = json.loads((root / "docs/grafana-dashboard.json").read_text())
expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
named = set(re.findall(r"commento_\w+", json.dumps(board["panels"]) + json.dumps(board["templating"]) + (root / "docs/alerts.yml").read_text()))
if not known or not expressions or named - known:
    sys.exit(f"no such metric: {sorted(named - known)}")
print(json.dumps({"groups": [{"name": "dashboard", "rules": [{"record": f"panel:{number}", "expr": expression}
                                                             for number, expression in enumerate(expressions)]}]}))
PYTHON
cd "$work"
for check in "check rules alerts.yml" "check rules dashboard.yml" "test rules alerts.test.yml"; do
    # shellcheck disable=SC2086
    promtool $check > said 2>&1 || { cat said; exit 1; }
done
