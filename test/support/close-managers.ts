// Runs with each test file, whose process has other files before and after it: closes the managers that the file's tests shared.
import { afterAll } from 'vitest'
import { closeSharedManagers } from './shared-manager.js'

afterAll(closeSharedManagers)
