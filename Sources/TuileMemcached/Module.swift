import CTuile

/// What the core looks for in libtuile-memcached.so.
@_cdecl("tuile_module_open")
public func tuile_module_open(
  _ url: tuile_bytes, _ ops: UnsafeMutablePointer<tuile_store_ops>?,
  _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  ModuleOps.open(url, ops, context, error) { (url) throws(Failure) in
    try MemcachedStore.make(try MemcachedOptions.parse(url))
  }
}
