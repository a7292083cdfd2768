// id: snapshot-cut-short
// title: a snapshot without its last byte
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

export default ({ bytes }) => bytes.subarray(0, -1)
