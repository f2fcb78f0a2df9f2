import CTuile

/// The answer to a bound session that came without its bound cookie.
extension Session {
  private static let page: StaticString = """
    <!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Sign in again</title>\
    <p>This browser has lost the key of its session. <a href="">Go on</a> and sign in again.</p></html>
    """

  private static let reloading: StaticString =
    "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>One moment</title><p><a href=\"\">Go on</a></p></html>"

  /// nil: it is not refused.
  func refuse(_ request: DeviceRequest) throws(Failure) -> DeviceAnswer? {
    guard device.isRefused else { return nil }
    manager.log(TUILE_LOG_INFO, "a session that is bound to a device came without its bound cookie and was refused")
    let answer = try plainAnswer(401)
    try answer.add("Vary", Bytes("Cookie"))
    guard request.isNavigation else { return answer }
    if request.isFromElsewhere {
      try answer.add("Refresh", Bytes("0"))
      // An error without a body is a page of Chromium's own, which is not reloaded.
      try answer.set(Bytes(Session.reloading), "text/html; charset=utf-8")
    } else if request.skipped.isEmpty, let bound = boundCookie {
      // A browser with the key would have refreshed. What is stored is another browser's.
      try answer.add(manager.settings.cookie.deletion)
      try answer.add(bound.deletion)
      try answer.set(Bytes(Session.page), "text/html; charset=utf-8")
    }
    return answer
  }
}
