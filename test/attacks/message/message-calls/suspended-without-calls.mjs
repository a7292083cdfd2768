// id: suspended-without-calls
// title: a suspension without pending calls
// level: L3
// class: message-calls
// expect: any
// control: outcome
// timeout-ms: 3000
// recover: true

export default async ({ port, id }) => {
  port.postMessage({
    id,
    type: 'RAW',
    value: {
      kind: 'suspended',
      stdout: '',
      stderr: '',
      durationMs: 1,
      memoryBytes: 1,
      peakMemoryBytes: 1,
      fileBytes: 0,
      outputBytes: 0,
      takenBytes: 0,
    },
  })
}
