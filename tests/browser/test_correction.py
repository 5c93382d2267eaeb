"""Test of the switch between the naive and the corrected elastic net on its card."""

import numpy as np
from playwright.sync_api import expect
from sklearn.linear_model import ElasticNet

import regviz
from regviz.scenes.link import from_query
from tests.browser.visitor import OpenPage, wait_for_new_run, wait_until_complete

WEIGHTS = """async (k) => {
  const { copyRow } = await import(assets + "/board/state/recording.js");
  const { recording } = window.board();
  const row = new Float32Array(recording.nParameters);
  copyRow(recording, recording.nReceived - 1, k, row);
  return Array.from(row.subarray(0, -1));
}"""
QUERY = (
    "v=2&data=plane&features=x1,x2&hidden=none&methods=none,elastic_net&batch_size=all"
    "&optimizer=momentum&learning_rate=0.1&epochs=1000"
)


def test_the_switch_shows_the_corrected_elastic_net_and_keeps_the_focus(open_pages: OpenPage):
    page = open_pages(query=f"?{QUERY}")
    naive_run = wait_until_complete(page)
    scene, _ = from_query(dict(part.split("=") for part in QUERY.split("&")))
    grid, dataset = scene.grid(), regviz.make_dataset(scene.data)
    networks = [k for variant in dict(grid.networks_by_variant)["elastic_net"] for k in variant]
    naive = [np.array(page.evaluate(WEIGHTS, k)) for k in networks]

    switch = page.get_by_role("group", name="Elastic net", exact=True)
    corrected = switch.get_by_role("button", name="corrected")
    expect(corrected).to_have_attribute("aria-pressed", "false")
    corrected.focus()
    page.keyboard.press("Enter")
    wait_for_new_run(page, naive_run)
    expect(corrected).to_have_attribute("aria-pressed", "true")
    expect(corrected).to_be_focused()
    page.wait_for_function("location.search.includes('corrected=1')")

    for k, before in zip(networks, naive, strict=True):
        row, found = grid.experiment.regularizations[k], np.array(page.evaluate(WEIGHTS, k))
        # frames have 17 bits of the significand
        np.testing.assert_allclose(found, (1 + row.l2) * before, rtol=2**-16, atol=0)
        model = ElasticNet(row.l1 + row.l2, l1_ratio=row.l1 / (row.l1 + row.l2), tol=1e-12)
        expected = (1 + row.l2) * model.fit(dataset.X_train, dataset.y_train).coef_
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
