"""Tests of the files that start a Dask scheduler and workers beside the servers.

The test at the end starts both with the command lines of these files, on loopback addresses.
"""

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from devtools.serving import ROOT, free_port
from tests.project.test_cluster import APP, COMPOSE, KUBERNETES, manifests, the_container
from tests.support.commands import python
from tests.support.waiting import wait_until

STUDY = yaml.safe_load((ROOT / "deploy" / "compose.study.yaml").read_text("utf-8"))
SERVICES = STUDY["services"]
FOLDER = KUBERNETES / "studies"
COMPONENT = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
MANIFESTS = {
    (manifest["kind"], manifest["metadata"]["name"]): manifest
    for name in COMPONENT["resources"]
    for manifest in yaml.safe_load_all((FOLDER / name).read_text("utf-8"))
}
CLUSTER = MANIFESTS["DaskCluster", "regviz-studies"]
PODS = {role: CLUSTER["spec"][role]["spec"] for role in ("scheduler", "worker")}
CONTAINERS = {role: pod["containers"][0] for role, pod in PODS.items()}
ARITHMETIC = STUDY["x-arithmetic"]
# labels that the operator gives to pods, from its documentation
LABELS = {
    role: {"dask.org/cluster-name": "regviz-studies", "dask.org/component": role} for role in PODS
}


def literals() -> dict[str, str]:
    """Return the variables that the component sets for the servers."""
    (generator,) = COMPONENT["configMapGenerator"]
    assert (generator["name"], generator["behavior"]) == ("regviz-limits", "merge")
    return dict(each.split("=", 1) for each in generator["literals"])


# Compose


def test_only_the_servers_and_the_workers_reach_the_scheduler():
    assert STUDY["networks"] == {"studies": {"internal": True}}
    assert SERVICES["scheduler"]["networks"] == SERVICES["worker"]["networks"] == ["studies"]
    # added to the network of compose.yaml, in which the proxy is
    assert SERVICES["app"]["networks"] == ["studies"]
    assert "studies" not in COMPOSE["services"]["proxy"]["networks"]
    assert not any("ports" in service for service in SERVICES.values())


@pytest.mark.parametrize("service", PODS)
def test_what_compose_starts_may_do_little(service: str):
    started = SERVICES[service]
    assert started["image"] == APP["image"]
    assert started["read_only"] is True
    assert started["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in started["security_opt"]
    assert {"mem_limit", "cpus", "pids_limit"} <= started.keys()
    assert any(mount.startswith("/tmp:") for mount in started["tmpfs"])
    # a worker ends if it loses its scheduler
    assert started["restart"] == "always"
    assert not {"container_name", "hostname"} & started.keys()


def test_everything_that_computes_has_the_same_arithmetic():
    address = {"REGVIZ_SCHEDULER": "tcp://scheduler:8786"}
    assert SERVICES["app"]["environment"] == ARITHMETIC | address
    assert SERVICES["scheduler"]["environment"] == SERVICES["worker"]["environment"] == ARITHMETIC
    service = f"{CLUSTER['metadata']['name']}-scheduler"  # the operator's name for it
    assert literals() == ARITHMETIC | {"REGVIZ_SCHEDULER": f"tcp://{service}:8786"}
    for container in CONTAINERS.values():
        found = {each["name"]: each["value"] for each in container["env"]}
        assert found.items() >= ARITHMETIC.items()


# Kubernetes. Dask's resources have the fields of the operator's schema; the cluster drops others
# without a message.


def test_the_servers_kustomization_names_the_component():
    text = (KUBERNETES / "kustomization.yaml").read_text("utf-8")
    assert f"# components: [{FOLDER.name}]" in text
    assert COMPONENT["kind"] == "Component"
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(COMPONENT["resources"]) == files


def test_the_cluster_has_the_operators_fields():
    assert CLUSTER["apiVersion"] == "kubernetes.dask.org/v1"
    assert CLUSTER["spec"].keys() == {"scheduler", "worker"}
    assert CLUSTER["spec"]["scheduler"].keys() == {"spec", "service"}
    assert CLUSTER["spec"]["worker"].keys() == {"replicas", "spec"}
    scaler = MANIFESTS["DaskAutoscaler", "regviz-studies"]
    assert scaler["apiVersion"] == "kubernetes.dask.org/v1"
    assert scaler["spec"].keys() == {"cluster", "minimum", "maximum"}
    assert scaler["spec"]["cluster"] == CLUSTER["metadata"]["name"]
    assert scaler["spec"]["minimum"] <= CLUSTER["spec"]["worker"]["replicas"]


def test_the_operator_finds_the_scheduler():
    service = CLUSTER["spec"]["scheduler"]["service"]
    assert service["selector"] == LABELS["scheduler"]
    ports = {port["name"]: port["containerPort"] for port in CONTAINERS["scheduler"]["ports"]}
    # the operator asks by these names
    assert ports == {"tcp-comm": 8786, "http-dashboard": 8787}
    assert {port["name"]: port["port"] for port in service["ports"]} == ports
    assert all(port["targetPort"] == port["name"] for port in service["ports"])


def test_no_visitor_is_sent_to_a_worker():
    # the operator copies labels of the cluster to its Services and pods
    selected = manifests()["Service"]["spec"]["selector"]
    for (kind, _), manifest in MANIFESTS.items():
        assert not selected.items() <= manifest["metadata"]["labels"].items(), kind


@pytest.mark.parametrize("role", PODS)
def test_pods_may_do_little(role: str):
    server = manifests()["Deployment"]["spec"]["template"]["spec"]
    container = CONTAINERS[role]
    for name in ("automountServiceAccountToken", "enableServiceLinks", "securityContext"):
        assert PODS[role][name] == server[name]
    assert container["securityContext"] == the_container()["securityContext"]
    assert container["image"] == the_container()["image"]
    assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
    (volume,) = PODS[role]["volumes"]
    assert "sizeLimit" in volume["emptyDir"]
    assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": "/tmp"}]


def test_connections_are_those_that_studies_need():
    policies = {name: m["spec"] for (kind, name), m in MANIFESTS.items() if kind == "NetworkPolicy"}
    server = manifests()["Deployment"]["spec"]["template"]["metadata"]["labels"]
    scheduler, worker = (policies[f"regviz-studies-{role}"] for role in PODS)
    for role, policy in zip(PODS, (scheduler, worker), strict=True):
        assert policy["podSelector"] == {"matchLabels": LABELS[role]}
        assert policy["policyTypes"] == ["Ingress", "Egress"]
    users, operator = scheduler["ingress"]
    assert [each["podSelector"]["matchLabels"] for each in users["from"]] == [
        *(server, LABELS["worker"])
    ]
    assert [port["port"] for port in users["ports"]] == ["tcp-comm"]
    assert "namespaceSelector" in operator["from"][0]
    (to_workers,) = scheduler["egress"]
    assert to_workers["to"] == [{"podSelector": {"matchLabels": LABELS["worker"]}}]
    assert [port["port"] for port in to_workers["ports"]] == [8788]
    # servers may open connections to the scheduler and to DNS, and no others
    (patch,) = [yaml.safe_load(each["patch"]) for each in COMPONENT["patches"]]
    assert (patch["kind"], patch["metadata"]) == ("NetworkPolicy", {"name": "regviz"})
    to_scheduler, to_dns = patch["spec"]["egress"]
    assert to_scheduler["to"] == [{"podSelector": {"matchLabels": LABELS["scheduler"]}}]
    assert to_scheduler["ports"] == [{"port": 8786, "protocol": "TCP"}]
    assert {port["port"] for port in to_dns["ports"]} == {53}


# Both


@pytest.mark.parametrize("role", PODS)
def test_compose_and_kubernetes_start_the_same_commands(role: str):
    def options(command: list[str]) -> list[str]:
        # the operator tells a worker its name and, by a variable, the scheduler's address
        given = ("--name=$(DASK_WORKER_NAME)", "tcp://scheduler:8786")
        return [word for word in command if word not in given]

    assert options(CONTAINERS[role]["args"]) == options(SERVICES[role]["command"])
    health = SERVICES[role]["healthcheck"]["test"]
    ports = {port["name"]: port["containerPort"] for port in CONTAINERS[role]["ports"]}
    for name in ("startupProbe", "livenessProbe"):
        probe = CONTAINERS[role][name]["httpGet"]
        assert health[-2:] == [str(ports[probe["port"]]), probe["path"]]


CLIENT = """
import sys, regviz
from regviz.studies.cell import compute
from regviz.studies.cluster import cells_done
base = regviz.Experiment(regviz.DataSpec(n_samples=40), training=regviz.TrainingSpec(epochs=5))
study = regviz.Study(base, {"data.noise": (0.1, 0.2)}, methods=("none", "l2"), seeds=range(2))
found = list(cells_done(study.cells, sys.argv[1]))
for cell, table in found:
    assert table.to_pandas().equals(compute(cell).to_pandas())
print(len(found), "cells")
"""


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A scheduler and a worker, started on other ports; the new ports by those of the files."""
    changed = {port: str(free_port()) for port in ("8786", "8787", "8788", "8789")}

    def replaced(word: str) -> str:
        word = re.sub(r"878\d", lambda found: changed[found[0]], word)
        return {"python": sys.executable}.get(
            word, word.replace("//scheduler", "//127.0.0.1").replace("=/tmp", f"={tmp_path}")
        )

    def healthy(role: str) -> bool:
        _, _, *options, script, port, path = SERVICES[role]["healthcheck"]["test"]
        script = ROOT / Path(script).relative_to("/regviz")
        return python(*options, script, changed[port], path, check=False).returncode == 0

    with ExitStack() as stack:
        for role in PODS:
            process = subprocess.Popen(
                [replaced(word) for word in SERVICES[role]["command"]],
                cwd=ROOT,
                env=os.environ | ARITHMETIC,
                stderr=stack.enter_context((tmp_path / role).open("wb")),
            )
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            wait_until(lambda role=role: healthy(role))
        yield changed


def test_a_study_runs_on_what_the_files_start(ports: dict[str, str]):
    address = f"tcp://127.0.0.1:{ports['8786']}"
    done = python("-c", CLIENT, address, **ARITHMETIC)
    assert done.stdout == "2 cells\n"
    # without Dask's dashboard, which needs Bokeh, there are its metrics
    with urllib.request.urlopen(f"http://127.0.0.1:{ports['8787']}/metrics", timeout=20) as answer:
        metrics = answer.read().decode()
    assert 'dask_scheduler_workers{state="idle"} 1.0' in metrics
    assert "dask_scheduler_tasks_compute_seconds_total" in metrics
