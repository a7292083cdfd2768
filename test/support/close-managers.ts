// Runs with each test file: closes the managers that its tests shared.
import { afterAll } from 'vitest'
import { closeSharedManagers } from './shared-manager.js'

afterAll(closeSharedManagers)
