/**
 * Paints boundaries. A field holds the memory and the canvas for outputs on a grid; a painter is a field
 * that networks are evaluated on.
 */

/**
 * @import {Plane, Recording} from "../state/types.d.ts"
 * @import {Scale, Theme} from "./types.d.ts"
 */

import { paint } from "./boundary.js";
import { trace, traceClasses } from "./contour.js";
import { contextOf, fitCanvas } from "./dom.js";
import { outputs } from "../state/forward.js";
import { gridOf, planeOf } from "../state/plane.js";

/**
 * Allocate a field.
 *
 * @typedef {ReturnType<typeof makeField>} Field
 *
 * @param {number} nOutputs
 * @param {number} grid  points along each side
 */
export function makeField(nOutputs, grid) {
  const small = document.createElement("canvas");
  small.width = small.height = grid;
  const image = new ImageData(grid, grid);
  return {
    grid,
    nOutputs,
    raw: new Float64Array(nOutputs * grid * grid),
    values: new Float64Array(nOutputs * grid * grid),
    small,
    smallContext: contextOf(small),
    image,
    pixels: new Uint32Array(image.data.buffer),
  };
}

/**
 * Allocate a painter.
 *
 * @typedef {ReturnType<typeof makePainter>} Painter
 *
 * @param {Recording} recording
 * @param {number} grid  points along each side
 * @param {Plane} [plane]
 */
export function makePainter(recording, grid, plane = planeOf(recording)) {
  const { network } = recording;
  const nOutputs = network.layers[network.layers.length - 1];
  return { ...makeField(nOutputs, grid), network, inputs: gridOf(network, plane, grid) };
}

/**
 * Draw the boundary of the network with parameters `row`, and the points over it.
 *
 * @param {Painter} painter
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} row
 * @param {Scale} scale
 * @param {Theme} theme
 * @param {number} size   of the square, in CSS pixels
 * @param {number} ratio  device pixels per CSS pixel
 * @param {HTMLCanvasElement} points  the layer of points
 * @param {boolean} discrete  whether to show classes instead of probabilities
 */
export function paintBoundary(painter, canvas, row, scale, theme, size, ratio, points, discrete) {
  const { grid, network, inputs, raw } = painter;
  outputs(network, row, 0, inputs, grid * grid, raw);
  paintField(painter, canvas, scale, theme, size, ratio, points, discrete);
}

/**
 * Draw the outputs of a field, and the points over them.
 *
 * @param {Field} field
 * @param {HTMLCanvasElement} canvas
 * @param {Scale} scale
 * @param {Theme} theme
 * @param {number} size   of the square, in CSS pixels
 * @param {number} ratio  device pixels per CSS pixel
 * @param {HTMLCanvasElement} points  the layer of points
 * @param {boolean} discrete  whether to show classes instead of probabilities
 */
export function paintField(field, canvas, scale, theme, size, ratio, points, discrete) {
  const { grid, nOutputs, raw, values, small, smallContext, image, pixels } = field;
  paint(scale, raw, nOutputs, grid * grid, values, pixels, discrete);
  smallContext.putImageData(image, 0, 0);

  fitCanvas(canvas, size, size, ratio);
  const side = canvas.width;
  const context = contextOf(canvas, { alpha: false });
  context.setTransform(1, 0, 0, 1, 0, 0);
  // the outer grid points lie on the picture's edges: half a pixel of the small canvas is cut off
  context.drawImage(small, 0.5, 0.5, grid - 1, grid - 1, 0, 0, side, side);
  const step = side / (grid - 1);
  context.beginPath();
  if (scale.task === "multiclass") traceClasses(context, raw, grid, nOutputs, step);
  else trace(context, raw, grid, scale.task === "regression" ? scale.middle : 0, step);
  context.strokeStyle = theme.ink;
  context.lineWidth = (scale.task === "regression" ? 1 : 1.5) * ratio;
  context.lineCap = "round";
  context.stroke();
  context.drawImage(points, 0, 0, side, side);
}
