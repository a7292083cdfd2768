// For `node examples/run.mjs restate`.
import './restate/demo.js'
