import CSystem
import CTuile

/// The requests for `device_path`: a browser proves that it has the key, and gets a new bound
/// cookie. Nothing is written into the session, so that a refresh is in nobody's way.
extension Session {
  func refresh(
    _ request: DeviceRequest, _ secrets: DeviceSecrets, _ settings: DeviceSettings, now: Int64
  ) throws(Failure) -> DeviceAnswer {
    var room = ByteBuffer()
    guard let text = FieldItem.string(request.identifier),
      let identifier = try DeviceIdentifier(text, secrets, in: &room),
      let binding = keys.boundID.binding(of: identifier.id)
    else { return try plainAnswer(404) }
    // The browser has no session any more, or another one.
    guard let sent = key else { return try ended(text, settings, forgets: true) }
    let bindingSent = keys.boundID.binding(of: sent)
    let isOld = bindingSent == nil && sent == identifier.before
    guard isOld || bindingSent.map({ $0 == binding }) ?? false else {
      return try ended(text, settings, forgets: bindingSent == nil)
    }
    guard !request.proof.isEmpty else {
      return try challenge(.refresh, about: binding, of: text, secrets, now: now)
    }
    guard let proof = try DeviceProof.read(request.proof), proof.isMade(by: identifier.key) else {
      return try plainAnswer(400)
    }
    guard case .fresh = try secrets.check(proof.challenge, .refresh, about: binding, now: now) else {
      return try challenge(.refresh, about: binding, of: text, secrets, now: now)
    }
    let answer = try plainAnswer(200)
    if isOld {
      // A late response of another request has set the old cookie once more.
      guard try giveCookie(of: identifier.id, answer) else { return try ended(text, settings, forgets: true) }
    } else {
      var arena = Arena(limit: 4096)
      if case .absent = try manager.find(sent, keys, now: manager.now, &arena) {
        return try ended(text, settings, forgets: true)
      }
    }
    try endBefore(identifier, now: now)
    try instruct(answer, text, binding, secrets, settings, now: now)
    return answer
  }

  /// A framework that saves the session whatever happened meanwhile may have brought it back under
  /// the ID that it had before it was bound. Requests with that are over by now.
  private func endBefore(_ identifier: DeviceIdentifier, now: Int64) throws(Failure) {
    guard !keys.boundID.contains(identifier.before), now &- identifier.time > manager.settings.config.cycle_grace
    else { return }
    try manager.delete(identifier.before, keys, sparing: { keys.boundID.contains($0) })
  }

  /// The browser forgets its key, and the bound cookie, unless another session has that now.
  private func ended(_ identifier: Bytes, _ settings: DeviceSettings, forgets: Bool) throws(Failure) -> DeviceAnswer {
    let answer = try plainAnswer(200)
    if forgets, device.cookieSent { try answer.add(settings.cookie(beside: manager.settings.cookie).deletion) }
    var json = ByteBuffer()
    json.append("{\"session_identifier\":")
    json.appendQuoted(identifier)
    json.append(",\"continue\":false}")
    guard !json.failed else { throw .memory }
    try answer.set(json.bytes, "application/json")
    return answer
  }
}
