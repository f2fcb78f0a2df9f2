# Rails' own cookie jars for the tests: a line of JSON in, a line of JSON out. A request
# and its answer are made for each line, with the settings that an app of the named
# generation has.
# frozen_string_literal: true

require "json"

begin
  require "logger" # older Rails forgets it
  require "active_support"
  require "active_support/messages/rotation_configuration"
  require "active_support/all"
  require "action_dispatch"
  require "action_dispatch/middleware/cookies"
rescue LoadError => error
  abort "#{error.message}: the Debian package ruby-actionpack has it"
end

# Rails before 7 derives keys with SHA-1 alone; a key generator is any object that has
# this method, so that SHA-256 can be tested there too.
class OtherDigest
  def initialize(secret, iterations, digest)
    @secret, @iterations, @digest = secret, iterations, digest
  end

  def generate_key(salt, size = 64)
    OpenSSL::PKCS5.pbkdf2_hmac(@secret, salt, @iterations, size, @digest)
  end
end

def key_generator(secret, iterations, digest)
  kind = ActiveSupport::KeyGenerator
  return kind.new(secret, iterations: iterations) if digest == "SHA1" && !kind.respond_to?(:hash_digest_class)
  return OtherDigest.new(secret, iterations, digest) unless kind.respond_to?(:hash_digest_class)

  kind.new(secret, iterations: iterations, hash_digest_class: OpenSSL::Digest.const_get(digest))
end

# How an app writes JSON, and whether it has the defaults of Rails 7.1 and later.
def configure(html: true, separators: true, metadata: false)
  coding = ActiveSupport::JSON::Encoding
  coding.escape_html_entities_in_json = html
  coding.escape_js_separators_in_json = separators if coding.respond_to?(:escape_js_separators_in_json=)
  kept = ActiveSupport::Messages::Metadata
  kept.use_message_serializer_for_metadata = metadata if kept.respond_to?(:use_message_serializer_for_metadata=)
end

def settings(asked)
  secret, *older = asked["secrets"]
  iterations, digest, cipher = asked["iterations"], asked["digest"], asked["cipher"]
  signed_salt = asked["salt"] || "signed cookie"
  encrypted_salt = asked["salt"] || "authenticated encrypted cookie"
  rotations = ActiveSupport::Messages::RotationConfiguration.new
  older.each do |old|
    generator = key_generator(old, iterations, digest)
    rotations.rotate :signed, generator.generate_key(signed_salt), digest: asked["mac_digest"] || "SHA1"
    rotations.rotate :encrypted, generator.generate_key(encrypted_salt, 32)
  end
  {
    "action_dispatch.key_generator" => key_generator(secret, iterations, digest),
    "action_dispatch.signed_cookie_salt" => signed_salt,
    "action_dispatch.authenticated_encrypted_cookie_salt" => encrypted_salt,
    "action_dispatch.encrypted_cookie_salt" => asked["salt"] || "encrypted cookie",
    "action_dispatch.encrypted_signed_cookie_salt" => asked["mac_salt"] || "signed encrypted cookie",
    "action_dispatch.use_authenticated_cookie_encryption" => cipher != "aes-256-cbc",
    "action_dispatch.encrypted_cookie_cipher" => cipher == "aes-256-cbc" ? nil : cipher,
    "action_dispatch.signed_cookie_digest" => asked["mac_digest"],
    "action_dispatch.use_cookies_with_metadata" => true,
    "action_dispatch.cookies_serializer" => :json,
    "action_dispatch.cookies_digest" => "SHA1",
    "action_dispatch.cookies_rotations" => rotations
  }
end

# One request through the middleware; the block gets the jar of the kind that is asked
# for. Gives the Set-Cookie header.
def visit(asked, cookie = "")
  app = lambda do |env|
    yield ActionDispatch::Request.new(env).cookie_jar.public_send(asked["kind"])
    [200, {}, []]
  end
  env = { "REQUEST_METHOD" => "GET", "HTTP_HOST" => "localhost", "rack.url_scheme" => "http", "HTTP_COOKIE" => cookie }
  _, headers, = ActionDispatch::Cookies.new(app).call(env.merge(settings(asked)))
  Array(headers["Set-Cookie"] || headers["set-cookie"]).first
end

# The value as it stands in the Set-Cookie header.
def write(asked)
  options = { value: asked["value"] }
  options[:expires] = Time.at(asked["expires"]).utc if asked["expires"]
  visit(asked) { |jar| jar[asked["name"]] = options }[/\A[^=]*=([^;]*)/, 1]
end

def read(asked)
  value = nil
  visit(asked, "#{asked["name"]}=#{asked["token"]}") { |jar| value = jar[asked["name"]] }
  raise "no such cookie" if value.nil?

  value
end

# The cookie of a name as Rack, and so Rails, finds it in a header.
def cookie(asked)
  Rack::Utils.parse_cookies("HTTP_COOKIE" => asked["header"])[asked["name"]]
end

$stdout.sync = true
puts JSON.generate(versions: { "actionpack" => ActionPack.version.to_s, "ruby" => RUBY_VERSION })
$stdin.each_line do |line|
  asked = JSON.parse(line)
  configure(**(asked["app"] || {}).transform_keys(&:to_sym))
  answer = { ok: send(asked["op"], asked) }
rescue StandardError => error
  answer = { error: "#{error.class}: #{error.message}" }
ensure
  puts JSON.generate(answer, script_safe: true)
end
