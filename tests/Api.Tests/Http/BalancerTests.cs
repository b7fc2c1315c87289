using System.Text;
using System.Text.Json.Nodes;

namespace Resources.Api.Tests;

/// <summary>A node behind the balancer of <c>deploy/nginx.conf</c>.</summary>
public sealed class BalancerTests(Backend backend)
{
    const string Login = "/api/v1/auth/login";

    static readonly string Credentials =
        $$"""{"email":"{{TestServer.AdminEmail}}","password":"{{TestServer.AdminPassword}}"}""";

    [Fact]
    [Trait("Conformance", "E1")]
    public async Task Ambiguous_request_gets_one_answer_through_the_balancer_too()
    {
        await using var balancer = await Nginx.StartShippedAsync(backend.Server.Address);
        var faults = new List<string>();
        foreach (var (name, request) in SmugglingCorpus.All)
        {
            var statuses = await SmugglingCorpus.SendAsync(balancer.Address, request);
            if (!SmugglingCorpus.IsRight(SmugglingCorpus.Balancer, name, statuses))
                faults.Add($"{name}: {string.Join(", ", statuses)}");
        }
        Assert.Empty(faults);
    }

    [Fact]
    [Trait("Conformance", "E11")]
    public async Task Metrics_stay_inside_however_they_are_spelled()
    {
        await using var balancer = await Nginx.StartShippedAsync(backend.Server.Address);
        foreach (
            var path in new[]
            {
                "/metrics",
                "/METRICS",
                "/Metrics",
                "/metrics/",
                "//metrics",
                "/%6Detrics",
                "/x/../metrics",
                "/./metrics?x",
            }
        )
        {
            using var connection = await RawConnection.OpenAsync(balancer.Address);
            await connection.SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            await connection.ReadToEndAsync();
            Assert.Equal((path, 404), (path, connection.Statuses.Single()));
        }
        Assert.Equal(200, (await SendAsync(balancer, null, "/health/ready")).Status);
    }

    [Fact]
    [Trait("Conformance", "E3")]
    public async Task Slow_body_ends_at_the_balancer()
    {
        await using var balancer = await Nginx.StartShippedAsync(
            backend.Server.Address,
            ("client_body_timeout 10s;", "client_body_timeout 1s;"),
            ("limit_conn bodies 256;", "limit_conn bodies 2;")
        );
        using var one = await BeginAsync();
        using var two = await BeginAsync();
        // Small bodies and reads of the same client have room beside them, but not a third large one.
        Assert.Equal(200, (await SendAsync(balancer, null, Login, Credentials)).Status);
        using var three = await BeginAsync();
        Assert.Equal(429, await three.StatusAsync());
        // Without a word, as nginx does.
        Assert.Equal((0, 0), (await one.StatusAsync(), await two.StatusAsync()));

        async Task<RawConnection> BeginAsync()
        {
            var connection = await RawConnection.OpenAsync(balancer.Address);
            await connection.SendAsync(
                "POST /api/v1/auth/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 16000\r\n\r\n{"
            );
            return connection;
        }
    }

    [Fact]
    [Trait("Conformance", "E3")]
    public async Task Body_that_trickles_ends_at_the_node_and_fills_no_files_of_the_balancer()
    {
        await using var node = await backend.StartServerAsync(("Overload:GraceSeconds", "2"));
        await using var balancer = await Nginx.StartShippedAsync(node.Address);
        using var trickle = await RawConnection.OpenAsync(balancer.Address);
        await trickle.SendAsync(
            $"POST {Login} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
        );
        var status = trickle.StatusAsync();
        while (!status.IsCompleted)
        {
            await trickle.SendAsync("1\r\n \r\n");
            await Task.WhenAny(status, Task.Delay(200, TestContext.Current.CancellationToken));
        }
        Assert.Equal(408, await status);

        // What is too large is still told so by the node.
        var large = await SendAsync(balancer, null, Login, new string(' ', 1_500_000));
        Assert.Equal((413, "BODY_TOO_LARGE"), (large.Status, large.Body?["code"]?.GetValue<string>()));
    }

    [Fact]
    [Trait("Conformance", "E7")]
    [Trait("Conformance", "E8")]
    public async Task Address_and_scheme_come_from_proxies_that_are_named_and_from_nobody_else()
    {
        await using var node = await backend.StartServerAsync(("Proxies:Trusted:0", "127.0.0.0/8"));
        await using var shipped = await Nginx.StartShippedAsync(node.Address);
        Assert.Equal(("127.0.0.1", null), await SignInAsync(shipped));

        await using var behindTls = await Nginx.StartShippedAsync(
            node.Address,
            ("# set_real_ip_from 10.0.0.0/8;", "set_real_ip_from 127.0.0.1;"),
            ("# 10.0.0.0/8 1;", "127.0.0.1 1;")
        );
        Assert.Equal(("198.51.100.7", "max-age=31536000; includeSubDomains"), await SignInAsync(behindTls));

        // The address of the session in the audit, and the header for browsers.
        async Task<(string?, string?)> SignInAsync(Nginx balancer)
        {
            var (_, headers, login) = await SendAsync(balancer, null, Login, Credentials);
            var token = login!["data"]!["accessToken"]!.GetValue<string>();
            var (_, _, audit) = await SendAsync(balancer, token, "/api/v1/audit?event=session.started");
            return (
                audit!["data"]![0]!["address"]!.GetValue<string>(),
                headers.GetValueOrDefault("Strict-Transport-Security")
            );
        }
    }

    [Fact]
    [Trait("Conformance", "C8")]
    public async Task Shared_cache_gives_no_caller_the_answer_of_another()
    {
        var author = (await (await backend.CreatePersonAsync("author")).LoginAsync()).Caller;
        var sample = await backend.CreateAsync();
        // A cache as eager as it may be: it keeps whatever the node does not forbid, and asks by address alone.
        await using var cache = await Nginx.StartAsync(
            $$"""
            error_log stderr error;
            pid DIRECTORY/nginx.pid;
            events { }
            http {
                access_log off;
                client_body_temp_path DIRECTORY/body;
                proxy_temp_path DIRECTORY/proxy;
                fastcgi_temp_path DIRECTORY/fastcgi;
                uwsgi_temp_path DIRECTORY/uwsgi;
                scgi_temp_path DIRECTORY/scgi;
                proxy_cache_path DIRECTORY/cache keys_zone=shared:1m;
                server {
                    listen 127.0.0.1:PORT;
                    proxy_http_version 1.1;
                    proxy_cache shared;
                    proxy_cache_key $uri$is_args$args;
                    proxy_cache_valid any 10m;
                    add_header X-Cache $upstream_cache_status always;
                    location / { proxy_pass {{backend.Server.Address}}; }
                }
            }
            """
        );
        var callers = new[] { backend.Admin, author, backend.User, backend.Guest };
        foreach (
            var path in new[]
            {
                "/api/v1/me",
                "/api/v1/resources?limit=5",
                "/api/v1/resources?limit=5&consistency=eventual",
                sample.Path,
                sample.Path + "?version=1",
                sample.Path + "/events",
                "/api/v1/events?limit=5",
                "/api/v1/users?limit=5",
                "/api/v1/none",
            }
        )
            for (var round = 0; round < 2; round++)
                foreach (var caller in callers)
                {
                    var (status, headers, body) = await SendAsync(cache, caller.Token, path);
                    Assert.True(headers["X-Cache"] is "MISS", $"{path}: {headers["X-Cache"]}");
                    var own = await caller.GetAsync(path);
                    Assert.Equal((own.Status, own.Text("/data/id")), (status, IdIn(body)));
                }
        // What is the same for everybody it does keep.
        await SendAsync(cache, author.Token, "/problems");
        Assert.Equal("HIT", (await SendAsync(cache, null, "/problems")).Headers["X-Cache"]);

        static string? IdIn(JsonNode? body) => body?["data"] is JsonObject data ? data["id"]?.GetValue<string>() : null;
    }

    /// <summary>Sends a request that says it came from elsewhere by HTTPS. What nginx adds to an answer is not described.</summary>
    static async Task<(int Status, Dictionary<string, string> Headers, JsonNode? Body)> SendAsync(
        Nginx to,
        string? token,
        string path,
        string? body = null
    )
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(
            body is null ? HttpMethod.Get : HttpMethod.Post,
            new Uri(to.Address, path)
        )
        {
            Content = body is null ? null : ApiClient.Content(Encoding.UTF8.GetBytes(body)),
            Headers = { { "X-Forwarded-For", "198.51.100.7" }, { "X-Forwarded-Proto", "https" } },
        };
        if (token is not null)
            request.Headers.Authorization = new("Bearer", token);
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return (
            (int)answer.StatusCode,
            answer.Headers.NonValidated.ToDictionary(header => header.Key, header => header.Value.ToString()),
            answer.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) is true
                ? JsonNode.Parse(text)
                : null
        );
    }
}
