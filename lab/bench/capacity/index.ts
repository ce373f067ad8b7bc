// The benchmark of the capacity layer: fairness, an outage, a second route, what calls share, and what an admission costs.

export { type CapacityFigure, type CapacityRow, type FigureUnit, figureText } from "./figure.js";
export { benchCapacity, type CapacityBench } from "./run.js";
export { CAPACITY_ROWS, CAPACITY_SIZES, type CapacityRowName, type CapacitySizes, REDIS_ROWS } from "./sizes.js";
