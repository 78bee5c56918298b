"""What Prometheus learns of the comment server: by node_exporter, from a file that is written each minute."""

import contextlib
import json
import re
import urllib.request

import pytest

from machine import processes, started_site
from machine.site import let_rest, reload_nginx

FILE = "/var/lib/commento-stack/metrics/commento-stack.prom"
EXPORTERS = "/var/lib/prometheus/node-exporter"
DOCUMENTS = "/usr/share/doc/commento-stack"


@pytest.fixture(scope="module")
def site():
    with started_site() as made:
        # What is at work is not measured.
        let_rest(made.machine, "commento-metrics", "commento-cert-renew", "commento-app-check")
        yield made


def measure(site, check: bool = True) -> dict[str, float]:
    """Each sample by its name and labels."""
    site.machine.run(["systemctl", "start", "commento-metrics"], check=check)
    return samples(site.machine.read(FILE))


def samples(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))}


def now(site) -> float:
    return float(site.machine.run(["date", "+%s"]).stdout)


def test_a_site_that_is_well_measures_well(site):
    site.machine.run(["commentoctl", "backup", "now"], timeout=120)
    site.machine.run(["systemctl", "start", "commento-app-check"])
    seen = measure(site)
    for name in ("commento_certificate_up{name=\"main\"}", "commento_front_up", "commento_backup_up", "commento_backups",
                 "commento_application_up", "commento_application_database_up", "commento_database_up",
                 "commento_unit_active{unit=\"commento.service\"}", "commento_unit_active{unit=\"nginx.service\"}",
                 "commento_run_success{unit=\"commento-cert-renew.service\"}",
                 "commento_run_success{unit=\"commento-app-check.service\"}"):
        assert seen[name] == 1, name
    described = json.loads(site.machine.run(["commentoctl", "cert", "list", "--json", "main"]).stdout)[0]
    ends = float(site.machine.run(["date", "+%s", "--date", described["not_after"]]).stdout)
    assert seen['commento_certificate_not_after_timestamp_seconds{name="main"}'] == ends
    assert seen["commento_front_certificate_not_after_timestamp_seconds"] == ends
    [size] = site.machine.run(["sh", "-c", "stat --format=%s /var/lib/commento-stack/backups/*.zip"]).stdout.split()
    assert seen["commento_backup_last_size_bytes"] == seen["commento_backups_size_bytes"] == float(size)
    assert abs(now(site) - seen["commento_backup_last_success_timestamp_seconds"]) < 600
    assert seen["commento_database_size_bytes"] > 1e6 and seen["commento_database_connections_limit"] == 100
    assert 0 < seen["commento_database_connections"] < 100
    assert 0 < seen["commento_application_answer_seconds"] < 5
    assert seen["commento_collect_timestamp_seconds"] > 1e9


def test_a_further_certificate_is_measured_too(site):
    site.machine.write("/etc/nginx/conf.d/shop.conf", "server { listen 80; server_name shop.example.test; "
                                                      "include /usr/share/commento-stack/nginx/acme-challenge.conf; }\n")
    reload_nginx(site.machine)
    site.machine.run(["commentoctl", "cert", "issue", "shop.example.test"], timeout=120)
    seen = measure(site)
    assert seen['commento_certificate_up{name="shop.example.test"}'] == 1
    assert seen['commento_certificate_not_after_timestamp_seconds{name="shop.example.test"}'] > now(site)


def test_prometheus_accepts_the_file_and_the_dashboard_names_nothing_else(site):
    measure(site)
    text = site.machine.read(FILE)
    checked = processes.run(["promtool", "check", "metrics"], input=text, check=False)
    assert (checked.exit_code, checked.output.strip()) == (0, "")
    board = site.machine.read(f"{DOCUMENTS}/grafana-dashboard.json")
    names = {re.split(r"[{ ]", line)[2 if line.startswith("#") else 0] for line in text.splitlines()}
    named = set(re.findall(r"commento_\w+", board + site.machine.read(f"{DOCUMENTS}/alerts.yml")))
    assert named <= names


def test_node_exporter_serves_it_as_debian_sets_it_up(site):
    site.machine.install(["prometheus-node-exporter"], "--no-install-recommends")
    measure(site)
    assert site.machine.run(["readlink", f"{EXPORTERS}/commento-stack.prom"]).stdout.strip() == FILE

    def served() -> str:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{site.machine.address}:9100/metrics",
                                                                 timeout=5) as answer:
            return answer.read().decode()
        return ""

    site.machine.wait_until("node_exporter answers", served)
    text = served()
    assert "node_textfile_scrape_error 0" in text
    told = samples("\n".join(line for line in text.splitlines() if line.startswith("commento_")))
    assert told["commento_application_up"] == 1 and told['commento_certificate_up{name="main"}'] == 1


def test_it_is_replaced_as_a_whole_and_everybody_may_read_it(site):
    measure(site)
    first = site.machine.run(["stat", "--format=%i %a %U", FILE]).stdout.split()
    measure(site)
    second = site.machine.run(["stat", "--format=%i %a %U", FILE]).stdout.split()
    assert first[0] != second[0] and first[1:] == ["644", "commento-metrics"]
    assert site.machine.run(["ls", "-A", "/var/lib/commento-stack/metrics"]).stdout.split() == ["commento-stack.prom"]


def test_what_is_well_leaves_no_line_in_the_journal(site):
    units = ("commento-metrics.service", "commento-app-check.service")
    before = site.machine.journal(*units)
    measure(site)
    site.machine.run(["systemctl", "start", "commento-app-check"])
    assert site.machine.journal(*units) == before


def test_it_may_read_no_backup_no_key_no_secret_and_no_comment(site):
    machine = site.machine
    for path in ("/var/lib/commento-stack/tls/live/privkey.pem", "/etc/commento-stack/secrets.conf"):
        assert machine.run(["cat", path], user="commento-metrics", check=False).exit_code != 0
    assert machine.run(["sh", "-c", "cat /var/lib/commento-stack/backups/*.zip"], user="commento-metrics",
                       check=False).exit_code != 0
    told = machine.run(["psql", "--dbname=commento", "--command=SELECT * FROM comments"], user="commento-metrics", check=False)
    assert "permission denied for table comments" in told.output


def test_what_can_not_be_measured_hinders_nothing_else(site):
    machine = site.machine
    machine.run(["systemctl", "stop", "postgresql@15-main", "nginx", "commento.service"])
    machine.run(["mv", "/var/lib/commento-stack/backups", "/var/lib/commento-stack/elsewhere"])
    try:
        seen = measure(site)
    finally:
        machine.run(["mv", "/var/lib/commento-stack/elsewhere", "/var/lib/commento-stack/backups"])
        machine.run(["systemctl", "start", "postgresql@15-main", "nginx"])
        machine.run(["systemctl", "restart", "commento.target"], timeout=120)
    for name in ("commento_front_up", "commento_backup_up", "commento_application_up", "commento_application_database_up",
                 "commento_database_up", 'commento_unit_active{unit="nginx.service"}'):
        assert seen[name] == 0, name
    assert seen['commento_certificate_up{name="main"}'] == 1
    assert not [name for name in seen if name.startswith(("commento_database_size", "commento_backup_last"))]


def test_faulty_settings_hinder_no_measuring(site):
    site.configure(DATABASE_POOL="many")
    try:
        assert measure(site)["commento_application_up"] == 1
    finally:
        site.configure()


def test_the_file_goes_where_the_settings_say(site):
    site.machine.run(["install", "-d", "-o", "commento-metrics", "/srv/metrics"])
    site.configure(METRICS_FILE="/srv/metrics/commento.prom")
    try:
        site.machine.run(["systemctl", "start", "commento-metrics"])
    finally:
        site.configure()
    assert samples(site.machine.read("/srv/metrics/commento.prom"))["commento_application_up"] == 1


def test_a_failed_run_is_measured_and_so_is_its_end(site):
    unit = "commento-nginx-reload.service"
    site.machine.run(["systemctl", "stop", "nginx"])
    site.machine.run(["sh", "-c", "echo nonsense > /etc/nginx/conf.d/broken.conf"])
    site.machine.run(["systemctl", "start", unit], check=False)
    assert measure(site)[f'commento_run_success{{unit="{unit}"}}'] == 0
    site.machine.run(["rm", "/etc/nginx/conf.d/broken.conf"])
    site.machine.run(["systemctl", "start", "nginx", unit])
    assert measure(site)[f'commento_run_success{{unit="{unit}"}}'] == 1


def test_the_timer_measures_each_minute_while_the_target_is_there(site):
    listed = site.machine.run(["systemctl", "cat", "commento-metrics.timer"]).stdout
    assert "OnCalendar=minutely" in listed
    site.machine.run(["systemctl", "stop", "commento.target"])
    site.machine.wait_until("its end", lambda: site.machine.has_ended("commento-metrics.timer"))
    site.machine.run(["systemctl", "start", "commento.target"], timeout=120)
    assert site.machine.unit("commento-metrics.timer")["ActiveState"] == "active"
