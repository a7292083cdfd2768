// Entry of the builder's thread, which makes one image and exits. Owns the messages that it sends. This is the only thread of brumate
// in which Pyodide's JavaScript runs.
import { parentPort, workerData } from 'node:worker_threads'
import { encodeImage, type ImageContents } from '../src/shared/image/format.js'
import type { BuilderData, BuilderReply } from '../src/shared/messages/builder.js'
import { PackageFailure } from './builder/packages/failure.js'
import { recordPackages } from './builder/packages/record.js'
import { recordImage } from './builder/record.js'
import { verifyImage } from './builder/verify.js'

const data = workerData as BuilderData
const send = (reply: BuilderReply, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(reply, transfer)

void build()

async function build(): Promise<void> {
  try {
    const contents: ImageContents =
      data.kind === 'standard'
        ? await recordImage(data)
        : await recordPackages(data, (progress) => send({ progress }))
    await verifyImage(contents)
    const bytes = await encodeImage({ ...contents, codeKey: data.codeKey })
    send({ ok: true, bytes }, [bytes.buffer])
  } catch (error) {
    if (error instanceof PackageFailure) {
      const { message: reason, packageName, module } = error
      send({ ok: false, reason, package: packageName, ...(module === undefined ? {} : { module }) })
    } else
      send({ ok: false, reason: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}
