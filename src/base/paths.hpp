#pragma once
// Every path of the product and of the host it sits on, in one place. Tests pass another root.

#include <filesystem>
#include <string>

namespace commento {

struct Paths {
    std::filesystem::path root = "/";

    using path = std::filesystem::path;

    path settings() const { return root / "etc/commento-stack/commento-stack.conf"; }
    path secrets() const { return root / "etc/commento-stack/secrets.conf"; }
    path settings_template() const { return root / "usr/share/commento-stack/commento-stack.conf"; }
    path secrets_template() const { return root / "usr/share/commento-stack/secrets.conf"; }
    path site_templates() const { return root / "usr/share/commento-stack/nginx"; }

    /// NNN.html: what nginx answers by itself with that status.
    path error_pages() const { return root / "usr/share/commento-stack/pages"; }

    /// NAME.conf here asks for a further certificate.
    path certificates() const { return root / "etc/commento-stack/certificates"; }

    path units() const { return root / "usr/lib/systemd/system"; }
    path drop_ins_for_remote_database() const { return root / "usr/share/commento-stack/remote-database"; }

    /// Program of a concern, such as commento-cert.
    path helper(const std::string& name) const { return root / "usr/libexec/commento-stack" / name; }

    /// Owner root. What commentoctl asks units for: a file of the request's name, there while it is carried out.
    path requests() const { return run(); }
    path run() const { return root / "run/commento-stack"; }

    path state() const { return root / "var/lib/commento-stack"; }

    path domain() const { return state() / "domain"; }              ///< owner root; commentoctl domain
    path domain_change() const { return domain() / "change.json"; } ///< the last change of DOMAIN, or the present one

    path tls() const { return state() / "tls"; }                    ///< owner commento-cert
    path tls_live() const { return tls() / "live"; }                ///< link to a generation, switched by rename
    path tls_chain() const { return tls_live() / "fullchain.pem"; } ///< world-readable
    path tls_key() const { return tls_live() / "privkey.pem"; }     ///< 0600
    path tls_changed() const { return tls() / "changed"; } ///< there while nginx was not asked to load what is new

    path tls_further() const { return tls() / "further"; }             ///< NAME/, each as tls() itself
    path tls_further_stamp() const { return tls() / "further.stamp"; } ///< written last, for all of them

    path acme() const { return state() / "acme"; }           ///< owner commento-cert
    path acme_webroot() const { return acme() / "webroot"; } ///< served by nginx on port 80

    path nginx_state() const { return state() / "nginx"; } ///< owner root
    path nginx_site() const { return root / "etc/nginx/conf.d/commento-stack.conf"; }
    path static_folder() const { return state() / "static"; }     ///< owner commento-nginx
    path static_live() const { return static_folder() / "live"; } ///< link to a generation; files/, pages/
    path nginx_log() const { return root / "var/log/nginx/commento-stack.access.log"; }
    path leaving_workers() const { return run() / "nginx-leaving"; }
    path nginx_status() const { return run() / "nginx-status.sock"; } ///< nginx' own counters

    path health() const { return run() / "health.sock"; } ///< commento-app-health.socket

    path app() const { return state() / "app"; }                   ///< owner commento-app
    path app_releases() const { return app() / "releases"; }       ///< releases/NAME-VERSION/
    path app_current() const { return app() / "current"; }         ///< link to a release, switched by rename
    path app_environment() const { return app() / "environment"; } ///< EnvironmentFile of commento.service
    path app_previous() const { return app() / "previous"; }       ///< link to the release that was current before
    path app_next() const { return app() / "next"; } ///< link to the release that commento-app fetch brought last

    /// Owner root. There during a changeover (commento-app changeover), for the release that runs beside the other one.
    path beside() const { return run() / "beside"; }
    path beside_release() const { return beside() / "release"; }         ///< link to its folder
    path beside_environment() const { return beside() / "environment"; } ///< EnvironmentFile of its unit
    path beside_port() const { return beside() / "port"; } ///< there while nginx leads readers to that port

    path db() const { return state() / "db"; }             ///< owner postgres
    path pool_config() const { return db() / "pool.ini"; } ///< 0600; systemd hands it to commento-db-pool.service
    path pool_sockets() const { return root / "run/commento-db-pool"; } ///< for the user commento only
    /// 0600, owner postgres: of a database elsewhere; systemd hands it to the units that connect.
    path database_password() const { return root / "run/commento-db-provision/password"; }
    /// 0600, owner commento-db: where the pool leads to, with DATABASE_URL.
    path pool_primary() const { return root / "run/commento-db-follow/primary.ini"; }
    path backups() const { return state() / "backups"; } ///< owner commento-backup, 0700; a file for each backup

    path notify() const { return state() / "notify"; }         ///< owner commento-notify, 0700
    path notify_outbox() const { return notify() / "outbox"; } ///< UNIT.eml, for commento-notify-sendmail@UNIT.service
    path sendmail() const { return root / "usr/sbin/sendmail"; } ///< of the host's mail server, whichever that is

    path metrics() const { return state() / "metrics"; } ///< owner commento-metrics
    /// Where Debian's prometheus-node-exporter looks (--collector.textfile.directory).
    path node_exporter() const { return root / "var/lib/prometheus/node-exporter"; }

    /// Folder of PostgreSQL's sockets: the same on Debian and the Fedora family.
    path postgres_sockets() const { return root / "var/run/postgresql"; }
};

} // namespace commento
