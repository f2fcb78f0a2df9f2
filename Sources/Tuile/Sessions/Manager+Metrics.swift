/// The counters and times as Prometheus reads them.
extension Manager {
  func writeMetrics(to out: inout ByteBuffer) {
    counter("loads", "Sessions found.", counters.loads, &out)
    counter("misses", "Keys that had no session.", counters.misses, &out)
    counter("saves", "Sessions created or replaced.", counters.saves, &out)
    counter("touches", "Sessions kept alive without rewriting them.", counters.touches, &out)
    counter("conflicts", "Commits made again because another was first.", counters.conflicts, &out)
    counter("deletes", "Sessions removed by a logout or a new key.", counters.deletes, &out)
    counter("bad_signatures", "Data or cookies that none of the keys had signed.", counters.badSignatures, &out)
    counter("old_secret_loads", "Sessions found that an older key had signed.", counters.oldKeyLoads, &out)
    counter("resurrections_refused", "Saves of sessions deleted meanwhile.", counters.resurrectionsRefused, &out)
    counter("store_failures", "Calls that the store failed.", counters.storeFailures, &out)
    counter("cookie_bytes", "Bytes of Set-Cookie values.", counters.cookieBytes, &out)
    counter("revoked", "Sessions ended by an owner's list or its limit.", counters.revoked, &out)
    counter("swept", "Expired sessions removed.", counters.swept, &out)
    out.append("# HELP tuile_store_seconds Time of the store's calls.\n# TYPE tuile_store_seconds histogram\n")
    var i = 0
    while let operation = Latency.Operation(rawValue: i) {
      histogram(operation, &out)
      i &+= 1
    }
  }

  private func counter(
    _ name: StaticString, _ help: StaticString, _ counter: borrowing Counter, _ out: inout ByteBuffer
  ) {
    head(name, "HELP", help, &out)
    head(name, "TYPE", "counter", &out)
    out.append("tuile_")
    out.append(name)
    out.append("_total ")
    Manager.write(counter.total, &out)
    out.append("\n")
  }

  private func head(_ name: StaticString, _ kind: StaticString, _ text: StaticString, _ out: inout ByteBuffer) {
    out.append("# ")
    out.append(kind)
    out.append(" tuile_")
    out.append(name)
    out.append("_total ")
    out.append(text)
    out.append("\n")
  }

  private func histogram(_ operation: Latency.Operation, _ out: inout ByteBuffer) {
    var calls: UInt64 = 0
    for bucket in Indices(Latency.buckets) {
      calls = calls &+ latency.calls(operation, bucket: bucket)
      line("_bucket", operation, &out)
      out.append(",le=\"")
      if bucket == Latency.buckets &- 1 {
        out.append("+Inf")
      } else {
        Manager.writeSeconds(1 &<< UInt64(bucket), &out)
      }
      out.append("\"} ")
      Manager.write(calls, &out)
      out.append("\n")
    }
    line("_sum", operation, &out)
    out.append("} ")
    Manager.writeSeconds(latency.sum(operation), &out)
    out.append("\n")
    line("_count", operation, &out)
    out.append("} ")
    Manager.write(calls, &out)
    out.append("\n")
  }

  private func line(_ suffix: StaticString, _ operation: Latency.Operation, _ out: inout ByteBuffer) {
    out.append("tuile_store_seconds")
    out.append(suffix)
    out.append("{operation=\"")
    out.append(operation.name)
    out.append("\"")
  }

  private static func write(_ number: UInt64, _ out: inout ByteBuffer) {
    Numbers.writeDecimal(Int64(truncatingIfNeeded: number & 0x7FFF_FFFF_FFFF_FFFF), to: &out)
  }

  /// Microseconds as seconds with six decimals.
  private static func writeSeconds(_ microseconds: UInt64, _ out: inout ByteBuffer) {
    write(microseconds / 1_000_000, &out)
    out.append(".")
    var unit: UInt64 = 100_000
    var rest = microseconds % 1_000_000
    while unit > 0 {
      out.append(UInt8(truncatingIfNeeded: rest / unit) &+ UInt8(ascii: "0"))
      rest = rest % unit
      unit = unit / 10
    }
  }
}
