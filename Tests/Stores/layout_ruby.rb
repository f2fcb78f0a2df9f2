# The sessions of Rails and Rack in a Redis or memcached: KIND SOCKET|URL|HOST:PORT [FORMAT]; each line of its input is a command, each answer a
# line of JSON. A request goes through the framework's own middleware for each.
#   FORMAT: config.active_support.cache_format_version. UNPACKED: a folder with another Debian's packages of Ruby.
# frozen_string_literal: true

if (unpacked = ENV["UNPACKED"])
  Dir["#{unpacked}/usr/share/rubygems-integration/all/gems/*/lib", "#{unpacked}/usr/lib/ruby/vendor_ruby"].each do |folder|
    $LOAD_PATH.unshift folder
  end
end
# concurrent-ruby has its own folder inside.
$LOAD_PATH.unshift(*Dir["#{unpacked}/usr/share/rubygems-integration/all/gems/concurrent-ruby-[0-9]*/lib/concurrent-ruby"]) if unpacked

require "json"
require "logger"
KIND, SOCKET, FORMAT = ARGV
IS_RACK = %w[redis-rack rack-dalli].include?(KIND)

begin
  if IS_RACK
    require "rack"
    require KIND == "redis-rack" ? "redis-rack" : "rack/session/dalli"
  else
    require "active_support"
    require "active_support/all"
    require "action_dispatch"
    if KIND.start_with?("mem")
      require "active_support/cache/mem_cache_store"
      require "action_dispatch/middleware/session/mem_cache_store"
    else
      require "active_support/cache/redis_cache_store"
    end
    require "action_dispatch/middleware/session/cache_store"
    require "redis-actionpack" if KIND == "redis-actionpack"
  end
rescue LoadError => error
  warn error.message
  exit 3
end

if %w[rack-dalli mem-cache-store].include?(KIND) && %w[3.0 6.1].include?(FORMAT) && Dalli::VERSION >= "3.2"
  warn "Dalli #{Dalli::VERSION} no longer has the keys of 3.0"
  exit 3
end

NAME = IS_RACK ? "rack.session" : "_app_session"
ANSWERS = []
COMMANDS = {
  "read" => ->(session) { session.to_hash.reject { |name, _| %w[session_id].include?(name) }.transform_values { |value| value.is_a?(Time) ? value.utc.to_s : value } },
  "write" => ->(session, text) { JSON.parse(text).each { |name, value| session[name] = name == "when" ? Time.utc(2026, 1, 2, 3, 4, 5) : value } },
  "add" => ->(session, name) { session[name] = (session[name] || 0) + 1 },
  "destroy" => ->(session) { session.destroy },
  "class" => ->(session, name) { session[name].class.name },
}.freeze

APPLICATION = lambda do |env|
  session = IS_RACK ? env["rack.session"] : ActionDispatch::Request.new(env).session
  ANSWERS << COMMANDS.fetch(env["command"]).call(session, *env["arguments"])
  [200, { "content-type" => "text/plain" }, ["done"]]
end

options = { key: NAME, expire_after: 7200 }
stack =
  case KIND
  when "redis-rack"
    Rack::Session::Redis.new(APPLICATION, **options, redis_store: Redis::Store.new(path: SOCKET, namespace: "rack:session"))
  when "redis-actionpack"
    store = ActionDispatch::Session::RedisStore.new(APPLICATION, **options, redis_store: Redis::Store.new(path: SOCKET, namespace: "session"))
    ActionDispatch::Cookies.new(store)
  when "rack-dalli"
    Rack::Session::Dalli.new(APPLICATION, **options, memcache_server: SOCKET)
  when "mem-cache-store"
    ActionDispatch::Cookies.new(ActionDispatch::Session::MemCacheStore.new(APPLICATION, **options, memcache_server: SOCKET))
  else
    if FORMAT == "6.1" && ActiveSupport.version >= Gem::Version.new("7.2")
      $stderr.puts "Rails #{ActiveSupport.version} no longer writes the form of 6.1"
      exit 3
    end
    # Rails' own without one, and before 7.0 there is no choice.
    ActiveSupport::Cache.format_version = FORMAT.to_f if FORMAT != "-" && ActiveSupport::Cache.respond_to?(:format_version=)
    cache =
      if KIND.start_with?("mem")
        ActiveSupport::Cache::MemCacheStore.new(SOCKET, namespace: "app")
      else
        begin
          ActiveSupport::Cache::RedisCacheStore.new(namespace: "app", redis: Redis.new(**(SOCKET.start_with?("redis:") ? { url: SOCKET } : { path: SOCKET })))
        rescue ArgumentError => error
          # Rails 7.2 beside connection_pool 3: Debian sid has had that pair, with which no cache of Rails' can be made.
          raise unless error.backtrace.first.include?("connection_pool")
          warn "Rails #{ActiveSupport.version} and connection_pool #{ConnectionPool::VERSION} do not go together"
          exit 3
        end
      end
    ActionDispatch::Cookies.new(ActionDispatch::Session::CacheStore.new(APPLICATION, **options, cache: cache))
  end

def ask(stack, sid, command, *arguments)
  env = Rack::MockRequest.env_for("/", "HTTP_COOKIE" => sid.empty? ? "" : "#{NAME}=#{sid}")
  env.merge!("command" => command, "arguments" => arguments)
  _, headers, body = stack.call(env)
  body.close if body.respond_to?(:close)
  made = headers.to_h.find { |name, _| name.downcase == "set-cookie" }&.last
  found = Array(made).join("\n")[/#{Regexp.escape(NAME)}=([0-9a-f]*)/, 1]
  [ANSWERS.pop, found || sid]
end

STDOUT.sync = true
STDIN.each_line do |line|
  command, sid, *arguments = JSON.parse(line)
  answer =
    if command == "count"
      arguments[0].to_i.times { ask(stack, sid, "add", "ruby") }
      true
    else
      ask(stack, sid, command, *arguments)
    end
  puts JSON.generate(answer)
end
