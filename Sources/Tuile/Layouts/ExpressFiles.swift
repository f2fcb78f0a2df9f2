import CTuile

/// express-session in files by session-file-store: the same with the time of the last
/// access, in milliseconds, in the member `__lastAccess`.
final class ExpressFiles: Express {
  private static let lastAccess: StaticString = "__lastAccess"

  override func isFor(_ kind: Kind) -> Bool { kind == .file }
  override func hiddenName(_ i: Int) -> StaticString? { i == 1 ? ExpressFiles.lastAccess : super.hiddenName(i) }

  override var shared: LayoutOptions.Names { .ttl }
  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {}

  override var standardAge: Int64? { options.ttl ?? 3600 }
  override var expiresInside: Bool { true }
  override var fileSuffix: StaticString { ".json" }

  /// What session-file-store adds to the last access, in milliseconds: of no age, or 0, its `ttl`.
  private func lived(_ age: Int64?) -> Int64 {
    guard let age, age != 0 else { return (options.ttl ?? 3600) &* 1000 }
    return age
  }

  override func fileExpires(_ content: Bytes, modified: Int64) -> Int64? {
    guard JSONText.isObject(content), let raw = JSONText.member(ExpressFiles.lastAccess, of: content)?.raw,
      let accessed = Express.milliseconds(raw), let cookie = JSONText.member(Express.cookieName, of: content),
      cookie.kind == .object
    else { return nil }
    return max(Date.earliest &* 1000, min(Date.latest &* 1000, accessed &+ lived(Express.maxAge(cookie.raw)))) &* 1000
  }

  override func writeMember(
    _ member: JSONMembers.Member, _ moment: LayoutMoment, _ age: Int64?, to out: inout ByteBuffer
  ) throws(Failure) -> Bool {
    guard try member.isNamed(ExpressFiles.lastAccess) else { return false }
    writeAccess(moment, age, to: &out)
    return true
  }

  /// The member `cookie` stands before it in any case.
  override func writeEnd(_ json: Bytes, _ moment: LayoutMoment, _ age: Int64?, to out: inout ByteBuffer) {
    guard JSONText.member(ExpressFiles.lastAccess, of: json) == nil else { return }
    out.append(",\"__lastAccess\":")
    writeAccess(moment, age, to: &out)
  }

  /// So that the end is where it has to be, which is now and the age but for the longest life.
  private func writeAccess(_ moment: LayoutMoment, _ age: Int64?, to out: inout ByteBuffer) {
    Numbers.writeDecimal(moment.expires / 1000 &- lived(age), to: &out)
  }
}
