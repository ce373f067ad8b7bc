// Benchmarks: what the harness costs, measured.

export {
  benchRecorder,
  type RecorderBench,
  type RecorderFound,
  type RecorderSize,
  type RecorderTime,
} from "./recorder.js";
