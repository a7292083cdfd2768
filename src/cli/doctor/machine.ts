// The checks of `brumate doctor` that are about the machine: Node, memory, cores, the cache. Runs no Python.
import { constants } from 'node:fs'
import { access, mkdir, readdir, stat } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { cacheDirectory } from '../../image/open.js'
import { resolveManagerOptions } from '../../manager/options.js'
import { MIN_MEMORY_BYTES } from '../../memory/manager-memory.js'
import { count } from '../../shared/count.js'
import { messageOf } from '../../shared/thrown.js'
import { sizeText } from '../units.js'
import type { Finding } from './check.js'

/** Same as `engines` in package.json. */
const MIN_NODE: readonly [major: number, minor: number] = [20, 20]
/** Newer versions may work, but are not tested. */
const NEWEST_TESTED_NODE = 26
/** Enough for a process with a few slots: docs/deployment.md. */
const COMFORTABLE_BYTES = 1024 ** 3

export function checkNode(version: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const name = 'Node'
  const [minMajor, minMinor] = MIN_NODE
  if (major < minMajor || (major === minMajor && minor < minMinor))
    return {
      ...{ name, status: 'problem', message: `${version} is too old` },
      fix: `install Node ${MIN_NODE.join('.')} or newer`,
    }
  if (major > NEWEST_TESTED_NODE)
    return {
      ...{
        name,
        status: 'warning',
        message: `${version} is newer than the newest this version was tested with`,
      },
      fix: `if something fails, use Node ${NEWEST_TESTED_NODE}`,
    }
  return { name, status: 'ok', message: `${version}, ${process.platform} ${process.arch}` }
}

/** @param constrainedBytes - the container's limit; none if it is 0 or more than the machine has */
export function checkMemory(
  totalBytes: number = totalmem(),
  constrainedBytes: number = process.constrainedMemory(),
): Finding {
  const isConstrained = constrainedBytes > 0 && constrainedBytes < totalBytes
  const availableBytes = isConstrained ? constrainedBytes : totalBytes
  const whose = isConstrained ? "the container's limit" : "the machine's"
  const message = `${sizeText(availableBytes)} (${whose}); sessions take ${sizeText(resolveManagerOptions().maxMemoryBytes ?? availableBytes)} of it at most (maxMemoryBytes)`
  const name = 'memory'
  if (availableBytes < MIN_MEMORY_BYTES)
    return {
      ...{ name, status: 'problem', message },
      fix: `give the process more: ${sizeText(MIN_MEMORY_BYTES)} for sessions, and 200 MB for the rest`,
    }
  if (availableBytes < COMFORTABLE_BYTES)
    return {
      ...{ name, status: 'warning', message },
      fix: 'enough for a few small sessions; give the process 1 GB or more for packages such as pandas',
    }
  return { name, status: 'ok', message }
}

export function checkCores(): Finding {
  const cores = availableParallelism()
  const { slots } = resolveManagerOptions()
  const message = `${cores}; ${slots} sessions run at a time (slots)`
  if (cores > 1) return { name: 'cores', status: 'ok', message }
  return {
    ...{ name: 'cores', status: 'warning', message },
    fix: 'sessions and your own code share one core; give the process two',
  }
}

export async function checkCache(given: string | undefined): Promise<Finding> {
  const directory = cacheDirectory(given)
  const name = 'cache'
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
    return { name, status: 'ok', message: `${directory}, writable: ${await contents(directory)}` }
  } catch (error) {
    return {
      ...{
        name,
        status: 'warning',
        message: `${directory} cannot be used: ${messageOf(error, 'for an unknown reason')}`,
      },
      fix: `every process rebuilds its image. Make ${dirname(directory)} writable, set cacheDir, or ship an image file: brumate image build --standard -o python.image`,
    }
  }
}

async function contents(directory: string): Promise<string> {
  let [images, imageBytes] = [0, 0]
  for (const file of await readdir(directory)) {
    if (!file.endsWith('.image')) continue
    images++
    imageBytes += await stat(join(directory, file)).then(
      ({ size }) => size,
      () => 0,
    )
  }
  return images === 0 ? 'no image yet' : `${count(images, 'image')}, ${sizeText(imageBytes)}`
}
