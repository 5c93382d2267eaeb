/** Paints boundaries: the memory and the canvases that all cards share, allocated once a run. */

import { paint } from "./boundary.js";
import { trace, traceClasses } from "./contour.js";
import { fit } from "./dom.js";
import { gridInputs, outputs } from "./forward.js";
import { drawPoints } from "./points.js";
import { rowOffset } from "./recording.js";

export const GRID = 64;

/** @param {import("./recording.js").Recording} recording */
export function makePainter({ network, domain }) {
  const nOutputs = network.layers[network.layers.length - 1];
  const small = document.createElement("canvas");
  small.width = small.height = GRID;
  const image = new ImageData(GRID, GRID);
  return {
    nOutputs,
    inputs: gridInputs(network.features, domain, GRID),
    raw: new Float64Array(nOutputs * GRID * GRID),
    values: new Float64Array(nOutputs * GRID * GRID),
    small,
    smallContext: small.getContext("2d"),
    image,
    pixels: new Uint32Array(image.data.buffer),
    points: document.createElement("canvas"),
  };
}

/** Draw the layer of points, when data, size, or theme have changed. */
export function preparePoints({ points }, recording, scale, theme, size, ratio) {
  fit(points, size, size, ratio);
  drawPoints(points.getContext("2d"), recording, scale, theme, size, ratio);
}

/** Draw network `k` at frame `t`. */
export function paintBoundary(painter, canvas, recording, scale, theme, t, k, size, ratio) {
  const { nOutputs, inputs, raw, values, small, smallContext, image, pixels, points } = painter;
  const n = GRID * GRID;
  outputs(recording.network, recording.parameters, rowOffset(recording, t, k), inputs, n, raw);
  paint(scale, raw, nOutputs, n, values, pixels);
  smallContext.putImageData(image, 0, 0);

  fit(canvas, size, size, ratio);
  const side = canvas.width;
  const context = canvas.getContext("2d", { alpha: false });
  // the outer grid points lie on the edge, hence half a small pixel is cut off all around
  context.drawImage(small, 0.5, 0.5, GRID - 1, GRID - 1, 0, 0, side, side);
  const step = side / (GRID - 1);
  context.beginPath();
  if (scale.task === "multiclass") traceClasses(context, raw, GRID, nOutputs, step);
  else trace(context, raw, GRID, scale.task === "regression" ? scale.middle : 0, step);
  context.strokeStyle = theme.ink;
  context.lineWidth = (scale.task === "regression" ? 1 : 1.5) * ratio;
  context.lineCap = "round";
  context.stroke();
  context.drawImage(points, 0, 0, side, side);
}
