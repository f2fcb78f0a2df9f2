// Node's frameworks for the tests: a line of JSON in, a line of JSON out. What needs a
// request and a response gets real ones, from a server on the loopback.
'use strict'

const crypto = require('node:crypto')
const http = require('node:http')
const readline = require('node:readline')

const versions = { node: process.versions.node }
const missing = {}

function load (name) {
  try {
    const loaded = require(name)
    versions[name] = versionOf(name)
    return loaded
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error
    missing[name] = `${error.message.split('\n')[0]} (NODE_PATH)`
    return null
  }
}

// Not every package lets its package.json be required.
function versionOf (name) {
  const at = require.resolve(name)
  const root = at.slice(0, at.lastIndexOf(name) + name.length)
  try {
    return JSON.parse(require('node:fs').readFileSync(`${root}/package.json`)).version
  } catch {
    return 'of unknown version'
  }
}

const signature = load('cookie-signature')
const Keygrip = load('keygrip')
const Cookies = load('cookies')
const cookieSession = load('cookie-session')
const cookieParser = load('cookie-parser')
const express = load('express')
const iron = load('iron-webcrypto')
const cookie = load('cookie')
const ironSession = load('iron-session')

let handle = null
const server = http.createServer((req, res) => handle(req, res))

// One request with these cookies, which `listener` answers; gives the cookies that it set.
function visit (listener, cookies = {}) {
  handle = listener
  const header = Object.entries(cookies).map(([name, value]) => `${name}=${value}`).join('; ')
  return new Promise((resolve, reject) => {
    const headers = header ? { cookie: header } : {}
    http.get({ port: server.address().port, host: '127.0.0.1', headers }, (res) => {
      res.resume().on('end', () => {
        const set = {}
        for (const line of res.headers['set-cookie'] || []) {
          const [, name, value] = /^([^=]*)=([^;]*)/.exec(line)
          set[name] = value
        }
        resolve(set)
      })
    }).on('error', reject)
  })
}

function app (secrets, page) {
  const made = express()
  made.use(cookieParser(secrets))
  made.get('/', (req, res) => { page(req, res); res.end() })
  made.use((error, req, res, next) => { res.status(500).end(String(error)) })
  return made
}

function refuse (why) { throw new Error(why) }

// iron-session's formula, from its documentation: for when the packages are not there.
const formula = {
  mac (password, salt, text) {
    const key = crypto.pbkdf2Sync(password, salt, 1, 32, 'sha1')
    return crypto.createHmac('sha256', key).update(text).digest('base64url')
  },
  seal (value, passwords, ttl, now) {
    const id = Math.max(...Object.keys(passwords).map(Number))
    const salt = crypto.randomBytes(32).toString('hex')
    const iv = crypto.randomBytes(16)
    const cipher = crypto.createCipheriv('aes-256-cbc', crypto.pbkdf2Sync(passwords[id], salt, 1, 32, 'sha1'), iv)
    const sealed = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()])
    const end = ttl ? now + ttl * 1000 : ''
    const signed = ['Fe26.2', id, salt, iv.toString('base64url'), sealed.toString('base64url'), end].join('*')
    const macSalt = crypto.randomBytes(32).toString('hex')
    return `${signed}*${macSalt}*${this.mac(passwords[id], macSalt, signed)}~2`
  },
  unseal (token, passwords) {
    const [text, version] = token.split('~')
    const parts = text.split('*')
    if (version !== '2' || parts.length !== 8 || parts[0] !== 'Fe26.2') refuse('not of this format')
    const [, id, salt, iv, sealed, end, macSalt, mac] = parts
    if (!(id in passwords)) refuse('no password of this id')
    if (this.mac(passwords[id], macSalt, parts.slice(0, 6).join('*')) !== mac) refuse('bad MAC')
    if (end && Number(end) <= Date.now() - 60000) refuse('expired')
    const key = crypto.pbkdf2Sync(passwords[id], salt, 1, 32, 'sha1')
    const cipher = crypto.createDecipheriv('aes-256-cbc', key, Buffer.from(iv, 'base64url'))
    return JSON.parse(Buffer.concat([cipher.update(Buffer.from(sealed, 'base64url')), cipher.final()]))
  }
}

const sealers = {
  formula: {
    seal: (value, passwords, ttl) => formula.seal(value, passwords, ttl, Date.now()),
    unseal: (token, passwords) => formula.unseal(token, passwords)
  },
  // As iron-session calls it.
  'iron-webcrypto': {
    async seal (value, passwords, ttl) {
      const id = String(Math.max(...Object.keys(passwords).map(Number)))
      const options = { ...iron.defaults, ttl: ttl * 1000 }
      return `${await iron.seal(crypto.webcrypto, value, { id, secret: passwords[id] }, options)}~2`
    },
    unseal (token, passwords) {
      return iron.unseal(crypto.webcrypto, token.replace(/~2$/, ''), passwords, iron.defaults)
    }
  },
  'iron-session': {
    seal: (value, passwords, ttl) => ironSession.sealData(value, { password: passwords, ttl }),
    async unseal (token, passwords) {
      const value = await ironSession.unsealData(token, { password: passwords, ttl: 0 })
      // It has no error for a bad seal: the session is empty then.
      return Object.keys(value).length ? value : refuse('an empty session')
    }
  }
}

const ops = {
  'signature-sign': ({ value, secret }) => signature.sign(value, secret),
  'signature-unsign': ({ token, secret }) => {
    const value = signature.unsign(token, secret)
    return value === false ? refuse('bad signature') : value
  },

  async 'express-write' ({ secrets, name, value }) {
    const set = await visit(app(secrets, (req, res) => res.cookie(name, value, { signed: true })))
    return set[name]
  },
  async 'express-read' ({ secrets, name, token }) {
    let value
    await visit(app(secrets, (req) => { value = req.signedCookies[name] }), { [name]: token })
    return value === false || value === undefined ? refuse('no signed cookie') : value
  },

  'keygrip-sign': ({ keys, data }) => new Keygrip(keys).sign(data),
  'keygrip-index': ({ keys, data, sig }) => new Keygrip(keys).index(data, sig),

  async 'session-write' ({ by, keys, name, value }) {
    const set = await visit((req, res) => {
      if (by === 'cookie-session') {
        cookieSession({ name, keys })(req, res, () => { req.session = value; res.end() })
      } else {
        const text = Buffer.from(JSON.stringify(value)).toString('base64')
        new Cookies(req, res, { keys }).set(name, text, { signed: true })
        res.end()
      }
    })
    return [set[name], set[`${name}.sig`]]
  },
  async 'session-read' ({ by, keys, name, token, sig }) {
    let value
    await visit((req, res) => {
      if (by === 'cookie-session') {
        cookieSession({ name, keys })(req, res, () => {
          value = req.session.isNew ? undefined : { ...req.session }
          res.end()
        })
      } else {
        const text = new Cookies(req, res, { keys }).get(name, { signed: true })
        value = text && JSON.parse(Buffer.from(text, 'base64'))
        res.end()
      }
    }, { [name]: token, [`${name}.sig`]: sig })
    return value === undefined ? refuse('no session') : value
  },

  // As Express' cookie-parser and iron-session read it: null if there is none.
  cookie: ({ header, name }) => cookie.parse(header)[name] ?? null,

  'iron-seal': ({ by, value, passwords, ttl }) => sealers[by].seal(value, passwords, ttl || 0),
  'iron-unseal': ({ by, token, passwords }) => sealers[by].unseal(token, passwords)
}

function say (answer) { process.stdout.write(`${JSON.stringify(answer)}\n`) }

server.listen(0, '127.0.0.1', async () => {
  say({ versions, missing })
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line)
    try {
      say({ ok: await ops[request.op](request) })
    } catch (error) {
      say({ error: `${error.name}: ${error.message}` })
    }
  }
  server.close()
})
