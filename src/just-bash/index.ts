// The sub-path `brumate/just-bash`: Python for the shell of just-bash 3.x. Owns what it exports.
export { type PythonCommandsOptions, pythonCommands } from './python-commands.js'
