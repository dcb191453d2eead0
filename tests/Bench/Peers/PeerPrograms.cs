using System.Diagnostics;
using System.Globalization;
using Gateway.Launcher.Servers;
using Gateway.TestKit;

namespace Gateway.Bench.Peers;

/// <summary>Starts each peer with the settings of a fair proxy: connections to the upstream are kept, nothing is buffered or logged.</summary>
internal static class PeerPrograms
{
    private static string Root => GatewayCluster.Repository;

    private static string Dotnet => Programs.Find("dotnet") ?? "dotnet";

    public static ProgramPeer Upstream()
    {
        var port = FreePort.Take();
        var dll = Path.Combine(Root, "services/SampleProvider/bin/Release/net10.0/SampleProvider.dll");
        return ProgramPeer.Start("direct", port, new ProcessSpec("direct", Dotnet, [dll, "--urls", $"http://127.0.0.1:{port}"])
        {
            WorkingDirectory = Path.GetDirectoryName(dll),
            Environment = new Dictionary<string, string?> { ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1", ["ASPNETCORE_ENVIRONMENT"] = "Production" },
        }, "");
    }

    public static ProgramPeer Yarp(string name, Peer upstream)
    {
        var port = FreePort.Take();
        var dll = Path.Combine(Root, "tests/Bench/Yarp/bin/Release/net10.0/YarpPeer.dll");
        var version = FileVersionInfo.GetVersionInfo(Path.Combine(Path.GetDirectoryName(dll)!, "Yarp.ReverseProxy.dll")).ProductVersion?.Split('+')[0] ?? "";
        return ProgramPeer.Start(name, port, new ProcessSpec(name, Dotnet, [dll, "--urls", $"http://127.0.0.1:{port}", "--upstream", upstream.Address])
        {
            WorkingDirectory = Path.GetDirectoryName(dll),
            Environment = new Dictionary<string, string?> { ["ASPNETCORE_ENVIRONMENT"] = "Production" },
        }, version);
    }

    public static ProgramPeer? Nginx(Peer upstream)
    {
        if (Programs.Find("nginx") is not { } program)
        {
            return null;
        }

        var port = FreePort.Take();
        var folder = Servers.NewFolder("nginx");
        var settings = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(settings, $$"""
            {{(Environment.IsPrivilegedProcess ? $"user {Environment.UserName};" : "")}}
            worker_processes auto;
            worker_rlimit_nofile 65536;
            daemon off;
            pid {{folder}}/nginx.pid;
            error_log {{folder}}/error.log error;
            events { worker_connections 16384; }
            http {
              access_log off;
              keepalive_requests 100000000;
              client_max_body_size 0;
              client_body_buffer_size 1m;
              client_body_temp_path {{folder}}/body;
              proxy_temp_path {{folder}}/proxy;
              fastcgi_temp_path {{folder}}/fastcgi;
              uwsgi_temp_path {{folder}}/uwsgi;
              scgi_temp_path {{folder}}/scgi;
              upstream provider { server 127.0.0.1:{{upstream.Port}}; keepalive 2048; keepalive_requests 100000000; }
              server {
                listen 127.0.0.1:{{port}} backlog=4096;
                location / {
                  proxy_pass http://provider;
                  proxy_http_version 1.1;
                  proxy_set_header Connection "";
                  proxy_buffering off;
                  proxy_read_timeout 600s;
                }
              }
            }

            """);
        return ProgramPeer.Start("nginx", port, new ProcessSpec("nginx", program, ["-c", settings, "-e", Path.Combine(folder, "error.log")]), Ask(program, "-v"));
    }

    public static ProgramPeer? Haproxy(Peer upstream)
    {
        if (Programs.Find("haproxy") is not { } program)
        {
            return null;
        }

        var port = FreePort.Take();
        var settings = Path.Combine(Servers.NewFolder("haproxy"), "haproxy.cfg");
        File.WriteAllText(settings, $$"""
            global
              maxconn 4000
              nbthread {{Environment.ProcessorCount}}
            defaults
              mode http
              option http-keep-alive
              http-reuse always
              timeout connect 5s
              timeout client 10m
              timeout server 10m
            frontend teams
              bind 127.0.0.1:{{port}} backlog 4096
              default_backend provider
            backend provider
              server sample 127.0.0.1:{{upstream.Port}} pool-max-conn -1

            """);
        return ProgramPeer.Start("haproxy", port, new ProcessSpec("haproxy", program, ["-db", "-f", settings]), Ask(program, "-v"));
    }

    public static ProgramPeer? Portkey(Peer upstream)
    {
        // Put there by ./bench.
        var package = Path.Combine(Root, ".data/bench/portkey/node_modules/@portkey-ai/gateway");
        if (Programs.Find("node") is not { } node || !Directory.Exists(package))
        {
            return null;
        }

        var port = FreePort.Take();
        var version = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(package, "package.json"))).RootElement.GetProperty("version").GetString();
        var spec = new ProcessSpec("portkey", node, [Path.Combine(package, "build/start-server.js"), $"--port={port}", "--headless"])
        {
            WorkingDirectory = package,
            Environment = new Dictionary<string, string?> { ["NODE_ENV"] = "production" },
        };
        return ProgramPeer.Start("portkey", port, spec, version ?? "", new()
        {
            ["x-portkey-provider"] = "openai",
            ["x-portkey-custom-host"] = upstream.Address + "/v1",
        });
    }

    /// <summary>The version in the first line that the program says of itself.</summary>
    private static string Ask(string program, string option)
    {
        using var process = Process.Start(new ProcessStartInfo(program, option) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var text = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        return text.Split([' ', '/', '\n']).FirstOrDefault(word => word.Length > 2 && char.IsAsciiDigit(word[0]) && word.Contains('.', StringComparison.Ordinal))
            ?? string.Create(CultureInfo.InvariantCulture, $"{text.Length}");
    }
}
