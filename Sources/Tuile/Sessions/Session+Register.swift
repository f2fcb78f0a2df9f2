import CSystem
import CTuile

/// The requests for `device_path`: a browser brings the key of its session.
extension Session {
  func answerDevice(_ request: DeviceRequest) throws(Failure) -> DeviceAnswer {
    guard let secrets = keys.device, let settings = manager.settings.device else {
      throw .argument("device_binding is off")
    }
    guard request.method == Bytes("POST") else {
      let answer = try plainAnswer(405)
      try answer.add("Allow", Bytes("POST"))
      return answer
    }
    let now = manager.now / 1_000_000
    guard request.identifier.isEmpty else { return try refresh(request, secrets, settings, now: now) }
    return try register(request, secrets, settings, now: now)
  }

  func plainAnswer(_ status: Int32) throws(Failure) -> DeviceAnswer {
    let answer = DeviceAnswer(status, after: device.answer)
    try answer.add("Cache-Control", Bytes("no-store"))
    return answer
  }

  /// 403 with a challenge: the browser signs it and comes again.
  func challenge(
    _ use: DeviceSecrets.Use, about subject: Bytes, of identifier: Bytes, _ secrets: DeviceSecrets, now: Int64
  ) throws(Failure) -> DeviceAnswer {
    var text = ByteBuffer()
    try secrets.writeChallenge(use, about: subject, now: now, to: &text)
    var value = ByteBuffer()
    value.appendQuoted(text.bytes)
    if !identifier.isEmpty {
      value.append(";id=")
      value.appendQuoted(identifier)
    }
    guard !text.failed, !value.failed else { throw .memory }
    let answer = try plainAnswer(403)
    try answer.add("Secure-Session-Challenge", value.bytes)
    return answer
  }

  private func register(
    _ request: DeviceRequest, _ secrets: DeviceSecrets, _ settings: DeviceSettings, now: Int64
  ) throws(Failure) -> DeviceAnswer {
    guard let sent = key else { return try plainAnswer(404) }
    guard let proof = try DeviceProof.read(request.proof) else { return try plainAnswer(400) }
    // Before any signature is looked at: whoever was offered nothing costs nothing.
    let isBound = keys.boundID.contains(sent)
    if !isBound {
      switch try secrets.check(proof.challenge, .offer, about: sent, now: now) {
      case .fresh: break
      case .stale: return try challenge(.offer, about: sent, of: Bytes(), secrets, now: now)
      case .foreign: return try plainAnswer(400)
      }
    }
    guard let deviceKey = try proof.registeredKey() else { return try plainAnswer(400) }
    if isBound {
      // The answer to this proof was lost on its way, or another key wants the session.
      guard try secrets.isFresh(proof.challenge, now: now), try matches(sent, proof.challenge, deviceKey, secrets)
      else { return try plainAnswer(400) }
      return try retried(before: sent, id: sent, deviceKey, secrets, settings, now: now)
    }
    try load()
    guard let key, !keyIsNew else { return try plainAnswer(404) }
    if let target = movedTo {
      guard try matches(target, proof.challenge, deviceKey, secrets) else { return try plainAnswer(404) }
      return try retried(before: key, id: target, deviceKey, secrets, settings, now: now)
    }
    guard let before = data.arena.copy(key) else { throw .memory }
    cycle(toBound: try boundID(proof.challenge, deviceKey, secrets))
    let answer = try plainAnswer(200)
    let committed = try commit(httpStatus: 200) { (name, value) throws(Failure) in
      if Bytes(name) == Bytes("Set-Cookie") { try answer.add(name, value) }
    }
    guard case .done = committed, let id = self.key else { return try plainAnswer(404) }
    manager.log(TUILE_LOG_INFO, "a session was bound to its browser's device")
    try instruct(answer, DeviceIdentifier(before: before, id: id, key: deviceKey), secrets, settings, now: now)
    return answer
  }

  /// The same answer once more, to the same proof.
  private func retried(
    before: Bytes, id: Bytes, _ key: DeviceKey, _ secrets: DeviceSecrets, _ settings: DeviceSettings, now: Int64
  ) throws(Failure) -> DeviceAnswer {
    let answer = try plainAnswer(200)
    guard try giveCookie(of: id, answer) else { return try plainAnswer(404) }
    try instruct(answer, DeviceIdentifier(before: before, id: id, key: key), secrets, settings, now: now)
    return answer
  }

  /// Sets the session's cookie to an ID that the store has; false if it has not.
  func giveCookie(of id: Bytes, _ answer: DeviceAnswer) throws(Failure) -> Bool {
    let found = try Session(manager: manager, id: id)
    try found.load()
    guard found.key != nil, found.movedTo == nil else { return false }
    found.touch()
    let committed = try found.commit(httpStatus: 200) { (name, value) throws(Failure) in
      if Bytes(name) == Bytes("Set-Cookie") { try answer.add(name, value) }
    }
    if case .done = committed { return true }
    return false
  }

  private func boundID(
    _ challenge: Bytes, _ key: DeviceKey, _ secrets: DeviceSecrets
  ) throws(Failure) -> Bytes {
    let form = keys.boundID
    return try withScratch(32 &+ form.bindingSize) { (room) throws(Failure) in
      try secrets.writeBinding(0, challenge, key, to: room)
      form.writeBinding(Bytes(room, 32), to: room + 32)
      return try form.make(Bytes(room + 32, form.bindingSize), in: &data.arena)
    }
  }

  /// Whether an ID was given for just this proof.
  private func matches(
    _ id: Bytes, _ challenge: Bytes, _ key: DeviceKey, _ secrets: DeviceSecrets
  ) throws(Failure) -> Bool {
    let form = keys.boundID
    guard let binding = form.binding(of: id) else { return false }
    return try withScratch(32 &+ form.bindingSize) { (room) throws(Failure) in
      for i in Indices(secrets.count) {
        try secrets.writeBinding(i, challenge, key, to: room)
        form.writeBinding(Bytes(room, 32), to: room + 32)
        if ConstantTime.equal(Bytes(room + 32, form.bindingSize), binding) { return true }
      }
      return false
    }
  }

  /// The bound cookie, and what the browser is to do with it.
  private func instruct(
    _ answer: DeviceAnswer, _ identifier: DeviceIdentifier, _ secrets: DeviceSecrets, _ settings: DeviceSettings,
    now: Int64
  ) throws(Failure) {
    var text = ByteBuffer()
    try identifier.write(secrets, now: now, to: &text)
    guard let binding = keys.boundID.binding(of: identifier.id) else { throw .memory }
    try instruct(answer, text.bytes, binding, secrets, settings, now: now)
  }

  func instruct(
    _ answer: DeviceAnswer, _ identifier: Bytes, _ binding: Bytes, _ secrets: DeviceSecrets,
    _ settings: DeviceSettings, now: Int64
  ) throws(Failure) {
    var value = ByteBuffer()
    try secrets.writeCookie(of: binding, until: now &+ settings.goodFor, to: &value)
    var cookie = settings.cookie(beside: manager.settings.cookie)
    cookie.value = value.bytes
    cookie.maxAge = settings.seconds
    try answer.add(cookie)
    var json = ByteBuffer()
    settings.writeInstructions(identifier, cookie, to: &json)
    guard !json.failed else { throw .memory }
    try answer.set(json.bytes, "application/json")
  }
}
