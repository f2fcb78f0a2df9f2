# Rails' MessageVerifier and MessageEncryptor as its cookie jars use them, and rack-session's
# encryptor; a missing one is skipped.
# frozen_string_literal: true

require "json"
require "uri"

KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
TEXT = "v" * 100
PAYLOAD = {
  "_auth_user_id" => "42",
  "_auth_user_backend" => "django.contrib.auth.backends.ModelBackend",
  "_auth_user_hash" => "7".rjust(64, "0"),
  "cart" => [1, 2, 3, 4, 5, 6, 7, 8, 9],
  "language" => "de",
  "messages" => "8".rjust(60, "0")
}.freeze

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)

def run(at_least)
  times = 0
  start = now
  loop do
    8.times { yield }
    times += 8
    took = now - start
    return took.to_f / times if took >= at_least
  end
end

# Warms up, then takes the best of five runs.
def measure(peer, operation, &call)
  run(1e8, &call)
  puts format("%s\t%s\t%.1f", peer, operation, Array.new(5) { run(2e8, &call) }.min)
end

def measure_all(peer, dialect, write, read)
  [["sign", "verify", TEXT], ["dumps", "loads", PAYLOAD]].each do |to_write, to_read, value|
    token = write.call(value)
    raise "#{dialect} #{to_read}" unless read.call(token) == value

    measure(peer, "#{dialect} #{to_write}") { write.call(value) }
    measure(peer, "#{dialect} #{to_read}") { read.call(token) }
  end
end

# The jars write JSON themselves, and Rack escapes what is in a cookie.
def written(value) = URI.encode_www_form_component(yield(ActiveSupport::JSON.encode(value)))
def read(token) = ActiveSupport::JSON.decode(yield(URI.decode_www_form_component(token)))

def rails
  require "logger" # older Rails forgets it
  require "active_support"
  require "active_support/all"
  puts "# activesupport #{ActiveSupport::VERSION::STRING}, ruby #{RUBY_VERSION}"

  options = { serializer: ActiveSupport::MessageEncryptor::NullSerializer }
  # Newer ones can write another form, which the jars don't ask for.
  options[:force_legacy_metadata_serializer] = true if ActiveSupport.version >= Gem::Version.new("7.1")
  purpose = "cookie.session"
  generator = ActiveSupport::KeyGenerator.new(KEY, iterations: 1000)
  verifier = ActiveSupport::MessageVerifier.new(generator.generate_key("signed cookie"), digest: "SHA1", **options)
  measure_all("activesupport", "rails-signed",
              ->(value) { written(value) { |json| verifier.generate(json, purpose: purpose) } },
              ->(token) { read(token) { |text| verifier.verify(text, purpose: purpose) } })
  key = generator.generate_key("authenticated encrypted cookie", 32)
  encryptor = ActiveSupport::MessageEncryptor.new(key, cipher: "aes-256-gcm", **options)
  measure_all("activesupport", "rails-encrypted",
              ->(value) { written(value) { |json| encryptor.encrypt_and_sign(json, purpose: purpose) } },
              ->(token) { read(token) { |text| encryptor.decrypt_and_verify(text, purpose: purpose) } })
end

def rack
  require "rack"
  require "rack/session/encryptor"
  begin
    require "rack/session/version"
    version = Rack::Session::VERSION
  rescue LoadError
    version = "of unknown version"
  end
  raise LoadError, "this rack-session has version 1 alone" unless defined?(Rack::Session::Encryptor::V2)

  puts "# rack-session #{version}, ruby #{RUBY_VERSION}"
  encryptor = Rack::Session::Encryptor.new(KEY, serialize_json: true, purpose: "session", mode: :v2)
  measure_all("rack-session", "rack", encryptor.method(:encrypt), encryptor.method(:decrypt))
end

$stdout.sync = true
{ "activesupport" => :rails, "rack-session" => :rack }.each do |name, peer|
  send(peer)
rescue LoadError
  puts "# #{name}: not installed"
end
