/**
 * Print the milliseconds per epoch of TensorFlow Playground's training of one network, best of five.
 *
 *     node playground.mjs nn.mjs '{"sizes": [2, 4, 2, 1], "batch": 10, "epochs": 20, "points": [[x1, x2, y], …]}'
 */
import { pathToFileURL } from "node:url";

const [, , path, given] = process.argv;
const nn = await import(pathToFileURL(path));
const { sizes, batch, epochs, points } = JSON.parse(given);
const { TANH } = nn.Activations;
const network = nn.buildNetwork(sizes, TANH, TANH, null, ["x1", "x2"], false);

/** Train for one pass over the points, as the Playground's `oneStep` does. */
function epoch() {
  points.forEach(([x1, x2, y], i) => {
    nn.forwardProp(network, [x1, x2]);
    nn.backProp(network, y, nn.Errors.SQUARE);
    if ((i + 1) % batch === 0) nn.updateWeights(network, 0.03, 0);
  });
}

for (let i = 0; i < 100; i++) epoch(); // warm-up, until it is compiled
let best = Infinity;
for (let repeat = 0; repeat < 5; repeat++) {
  const start = performance.now();
  for (let i = 0; i < epochs; i++) epoch();
  best = Math.min(best, (performance.now() - start) / epochs);
}
console.log(best);
