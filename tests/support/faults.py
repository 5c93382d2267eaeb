"""A server whose page fails for some settings; ``FAULTS`` is its `sitecustomize`."""

SECRET = "a secret of this machine"
# the page fails for noise 0.123, the views below the board for noise 0.124
FAULTS = f"""
import sys

if "streamlit" in sys.orig_argv:
    from regviz.pages import share, understand

    show, view = share.show, understand.show

    def show_or_fail(scene, grid, look):
        if scene.data.noise == 0.123:
            raise RuntimeError({SECRET!r})
        show(scene, grid, look)

    def view_or_fail(snapshot):
        if snapshot is not None and snapshot.grid.experiment.data.noise == 0.124:
            raise RuntimeError({SECRET!r})
        view(snapshot)

    share.show, understand.show = show_or_fail, view_or_fail
"""
