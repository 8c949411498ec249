-- Prints the outcome of a run as one line of JSON, for load.py.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'OUTCOME {"requests":%d,"seconds":%.6f,"p50":%.6f,"p99":%.6f,"slowest":%.6f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
