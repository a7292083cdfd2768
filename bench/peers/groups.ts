// All groups, in the order of the table.
import type { Group } from './group.js'
import { callbacks } from './groups/callbacks.js'
import { cells } from './groups/cells.js'
import { compute } from './groups/compute.js'
import { execute } from './groups/execute.js'
import { growth } from './groups/growth.js'
import { memory } from './groups/memory.js'
import { packages } from './groups/packages.js'
import { snapshot } from './groups/snapshot.js'
import { start } from './groups/start.js'
import { stopping } from './groups/stopping.js'
import { survival } from './groups/survival.js'

export const GROUPS: readonly Group[] = [
  ...[start, execute, cells, callbacks, snapshot, survival],
  ...[stopping, compute, packages, memory, growth],
]
