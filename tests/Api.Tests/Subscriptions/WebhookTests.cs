using static Resources.Api.Tests.SubscriptionBackend;

namespace Resources.Api.Tests;

/// <summary>Webhooks, received by a server in this process.</summary>
public sealed class WebhookTests(SubscriptionBackend backend) : IClassFixture<SubscriptionBackend>, IAsyncLifetime
{
    readonly string type = FreshType();
    WebhookReceiver receiver = null!;

    ApiClient Admin => backend.Admin;

    public async ValueTask InitializeAsync() => receiver = await WebhookReceiver.StartAsync();

    public async ValueTask DisposeAsync() => await receiver.DisposeAsync();

    [Fact]
    [Trait("Conformance", "I1")]
    public async Task Events_arrive_as_signed_CloudEvents_in_order_per_resource()
    {
        var (path, secret) = await SubscribeAsync(Admin, type, receiver.Url);
        var resources = await Task.WhenAll(
            Enumerable.Range(0, 5).Select(i => CreateAsync(Admin, type, $"Käse 🧀 {i}"))
        );
        await Task.WhenAll(resources.Select(resource => RenameAsync(Admin, resource, 4)));
        await CreateAsync(Admin, FreshType());

        await Eventually.HoldsAsync(() => receiver.Taken.Count() >= 25, Plenty, receiver.ToString);
        DeliveryOrder.Check(receiver.Taken.Select(request => (request.Resource, request.Version)), 5);
        Assert.Equal(25, receiver.All.Select(request => request.WebhookId).Distinct().Count());
        foreach (var request in receiver.All)
        {
            Assert.True(request.IsSignedWith(secret!));
            Assert.False(request.IsSignedWith(secret!, [.. request.Body[..^1], (byte)' ']));
            Assert.Equal("application/cloudevents+json", request.Headers["content-type"]);
            Assert.DoesNotContain('.', request.WebhookId);
            Assert.Equal(request.WebhookId, request.Event.GetProperty("id").GetString());
            Assert.DoesNotContain(request.Headers.Keys, name =>
                name is "cookie" or "authorization" or "traceparent" or "proxy-authorization"
            );
        }
        await Eventually.HoldsAsync(
            async () =>
                (await Admin.GetAsync(path)) is var now
                && now.Text("/data/lag") is "0"
                && Number(now, "/data/position") > 0,
            Plenty,
            () => "the position follows"
        );
        var shown = await Admin.GetAsync(path);
        Assert.Equal(
            ("active", "0", "0", null),
            (
                shown.Text("/data/state"),
                shown.Text("/data/parked"),
                shown.Text("/data/lagSeconds"),
                shown.Text("/data/secret")
            )
        );
        var attempts = await Admin.GetAsync(path + "/attempts?limit=200");
        Assert.Equal(
            25,
            Rows(attempts)
                .Count(attempt =>
                    attempt.GetProperty("outcome").GetString() is "delivered"
                    && attempt.GetProperty("status").GetInt32() is 200
                )
        );
    }

    [Fact]
    [Trait("Conformance", "I4")]
    public async Task Failed_delivery_parks_only_its_resource_and_resumes_in_order()
    {
        var (path, _) = await SubscribeAsync(Admin, type, receiver.Url);
        var bad = await CreateAsync(Admin, type);
        var good = await CreateAsync(Admin, type);
        await Eventually.HoldsAsync(() => receiver.Taken.Count() is 2, Plenty, receiver.ToString);
        var fails = true;
        receiver.AnswerWith(request => request.Resource == bad && Volatile.Read(ref fails) ? 500 : 200);
        await RenameAsync(Admin, bad, 3);
        await RenameAsync(Admin, good, 3);

        await Eventually.HoldsAsync(
            () => receiver.Taken.Count(request => request.Resource == good) is 4,
            Plenty,
            receiver.ToString
        );
        await Eventually.HoldsAsync(
            async () =>
                (await Admin.GetAsync(path)) is var now
                && now.Text("/data/parked") is "1"
                && now.Text("/data/lag") is "0",
            Plenty,
            receiver.ToString
        );
        var parked = await Admin.GetAsync(path + "/parked");
        Assert.Equal(
            (bad, "The target answered 500."),
            (parked.Text("/data/0/resource"), parked.Text("/data/0/error"))
        );
        Assert.Equal("The target answered 500.", (await Admin.GetAsync(path)).Text("/data/lastError/detail"));
        // Whatever happens meanwhile, nothing of the parked resource overtakes what failed.
        Assert.DoesNotContain(receiver.All, request => request.Resource == bad && request.Version > 2);

        Volatile.Write(ref fails, false);
        await Eventually.HoldsAsync(
            () => receiver.Taken.Count(request => request.Resource == bad) >= 4,
            Plenty,
            receiver.ToString
        );
        DeliveryOrder.Check(receiver.Taken.Select(request => (request.Resource, request.Version)), 4);
        await Eventually.HoldsAsync(
            async () => (await Admin.GetAsync(path)).Text("/data/parked") is "0",
            Plenty,
            receiver.ToString
        );
        var tries = receiver.All.Where(request => request.Resource == bad && request.Version is 2).ToArray();
        Assert.True(tries.Length > 1);
        Assert.Single(tries.Select(request => request.WebhookId).Distinct());
        await RenameAsync(Admin, bad, 1);
        await Eventually.HoldsAsync(
            () => receiver.Taken.Any(request => request.Resource == bad && request.Version is 5),
            Plenty,
            receiver.ToString
        );
    }

    [Fact]
    [Trait("Conformance", "I4")]
    public async Task Resource_waits_for_a_replay_after_the_last_attempt()
    {
        await using var node = await backend.StartAsync(("Webhooks:RetrySeconds", "0.2,0.2"));
        var admin = await node.AdminAsync();
        var (path, _) = await SubscribeAsync(admin, type, receiver.Url);
        var bad = await CreateAsync(admin, type);
        var good = await CreateAsync(admin, type);
        await Eventually.HoldsAsync(() => receiver.Taken.Count() is 2, Plenty, receiver.ToString);
        receiver.AnswerWith(request => request.Resource == bad ? 422 : 200);
        await RenameAsync(admin, bad, 2);
        // The target as a whole is well.
        var others = Task.Run(
            async () =>
            {
                while (receiver.All.Count(request => request.Status is 422) < 3)
                    await RenameAsync(admin, good, 1);
            },
            TestContext.Current.CancellationToken
        );
        await Eventually.HoldsAsync(
            async () => (await admin.GetAsync(path)).Text("/data/failed") is "1",
            Plenty,
            receiver.ToString
        );
        await others;
        Assert.Equal(
            ("active", null),
            (
                (await admin.GetAsync(path)).Text("/data/state"),
                (await admin.GetAsync(path + "/parked")).At("/data/0/retryAt")!.Value.GetString()
            )
        );

        receiver.AnswerWith(_ => 204);
        Assert.Equal(
            "RESOURCE_NOT_PARKED",
            (await admin.SendAsync("POST", path + "/replay", $$"""{"resource":"{{good}}"}""")).Code
        );
        Assert.Equal(200, (await admin.SendAsync("POST", path + "/replay", $$"""{"resource":"{{bad}}"}""")).Status);
        await Eventually.HoldsAsync(
            () => receiver.Taken.Count(request => request.Resource == bad) is 3,
            Plenty,
            receiver.ToString
        );
        DeliveryOrder.Check(
            receiver
                .Taken.Where(request => request.Resource == bad)
                .Select(request => (request.Resource, request.Version)),
            3
        );
    }

    [Fact]
    [Trait("Conformance", "I4")]
    public async Task Replay_redelivers_all_later_events_with_the_same_ids()
    {
        var (path, _) = await SubscribeAsync(Admin, type, receiver.Url);
        var start = (await Admin.GetAsync(path)).Text("/data/position")!;
        var resource = await CreateAsync(Admin, type);
        await RenameAsync(Admin, resource, 3);
        await Eventually.HoldsAsync(() => receiver.Taken.Count() is 4, Plenty, receiver.ToString);
        var head = Number(await Admin.GetAsync(path), "/data/position") + 1_000_000;
        Assert.Equal(
            ["/position"],
            (await Admin.SendAsync("POST", path + "/replay", $$"""{"position":"{{head}}"}""")).Faults
        );
        await Eventually.HoldsAsync(
            async () => (await Admin.GetAsync(path)).Text("/data/lag") is "0",
            Plenty,
            receiver.ToString
        );

        Assert.Equal(200, (await Admin.SendAsync("POST", path + "/replay", $$"""{"position":"{{start}}"}""")).Status);
        await Eventually.HoldsAsync(() => receiver.Taken.Count() is 8, Plenty, receiver.ToString);
        Assert.Equal(
            receiver.All[..4].Select(request => request.WebhookId),
            receiver.All[4..].Select(request => request.WebhookId)
        );
        await Eventually.HoldsAsync(
            async () => (await Admin.GetAsync(path)).Text("/data/lag") is "0",
            Plenty,
            receiver.ToString
        );
    }

    [Fact]
    [Trait("Conformance", "I1")]
    public async Task Rotation_signs_with_both_secrets_and_shows_each_once()
    {
        var (path, first) = await SubscribeAsync(Admin, type, receiver.Url);
        Assert.Matches("^whsec_[A-Za-z0-9+/]{43}=$", first!);
        var rotated = await Admin.SendAsync("POST", path + "/secret");
        var second = rotated.Text("/data/secret")!;
        Assert.Equal(("no-store", null), (rotated["Cache-Control"], rotated["Content-Encoding"]));
        await CreateAsync(Admin, type);
        await Eventually.HoldsAsync(() => receiver.Taken.Any(), Plenty, receiver.ToString);
        var request = receiver.All[0];
        Assert.Equal(
            (2, true, true),
            (request.Signatures.Length, request.IsSignedWith(first!), request.IsSignedWith(second))
        );
        foreach (
            var shown in new[]
            {
                await Admin.GetAsync(path),
                await Admin.GetAsync("/api/v1/subscriptions?limit=200"),
                await Admin.GetAsync(path + "/attempts"),
                await Admin.SendAsync("POST", path + "/pause"),
            }
        )
            Assert.DoesNotContain("whsec_", shown.ToString(), StringComparison.Ordinal);
        Assert.True(
            (await Admin.GetAsync(path)).At("/data/previousSecretUntil")!.Value.GetDateTimeOffset()
                <= DateTimeOffset.UtcNow.AddHours(24)
        );
    }

    [Fact]
    public async Task Gone_disables_at_once_and_resume_continues_from_the_position()
    {
        var (path, _) = await SubscribeAsync(Admin, type, receiver.Url);
        receiver.AnswerWith(_ => 410);
        var resource = await CreateAsync(Admin, type);
        await Eventually.HoldsAsync(
            async () =>
                (await Admin.GetAsync(path)) is var now
                && now.Text("/data/state") is "disabled"
                && now.Text("/data/lastError/detail") is "The target answered 410 Gone.",
            Plenty,
            receiver.ToString
        );
        await RenameAsync(Admin, resource, 2);
        Assert.Single(receiver.All);
        receiver.AnswerWith(_ => 200);
        Assert.Equal("active", (await Admin.SendAsync("POST", path + "/resume")).Text("/data/state"));
        await Eventually.HoldsAsync(() => receiver.Taken.Count() is 3, Plenty, receiver.ToString);
        DeliveryOrder.Check(receiver.Taken.Select(request => (request.Resource, request.Version)), 3);
    }

    [Fact]
    [Trait("Conformance", "I4")]
    public async Task Permanently_failing_target_is_disabled_after_the_last_attempt()
    {
        await using var node = await backend.StartAsync(("Webhooks:RetrySeconds", "0.1,0.1"));
        var admin = await node.AdminAsync();
        var (path, _) = await SubscribeAsync(admin, type, receiver.Url);
        receiver.AnswerWith(_ => 500);
        await CreateAsync(admin, type);
        await Eventually.HoldsAsync(
            async () => (await admin.GetAsync(path)).Text("/data/state") is "disabled",
            Plenty,
            receiver.ToString
        );
        Assert.Equal(3, receiver.All.Length);
        Assert.StartsWith(
            "Nothing was delivered since",
            (await admin.GetAsync(path)).Text("/data/lastError/detail"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Paused_subscription_sends_nothing_until_resumed()
    {
        var (path, _) = await SubscribeAsync(Admin, type, receiver.Url);
        await CreateAsync(Admin, type);
        await Eventually.HoldsAsync(() => receiver.Taken.Any(), Plenty, receiver.ToString);
        Assert.Equal("paused", (await Admin.SendAsync("POST", path + "/pause")).Text("/data/state"));
        var (other, _) = await SubscribeAsync(Admin, type, receiver.Url);
        await CreateAsync(Admin, type);
        // The other subscription has it, so this one had its chance.
        await Eventually.HoldsAsync(() => receiver.Taken.Count() is 2, Plenty, receiver.ToString);
        Assert.Equal(204, (await Admin.SendAsync("DELETE", other)).Status);
        await Admin.SendAsync("POST", path + "/resume");
        await Eventually.HoldsAsync(() => receiver.Taken.Count() is 3, Plenty, receiver.ToString);
    }

    [Fact]
    public async Task Retry_After_of_the_target_is_respected()
    {
        await SubscribeAsync(Admin, type, receiver.Url);
        receiver.Answer = (request, response) =>
        {
            response.Headers.RetryAfter = "2";
            return Task.FromResult(receiver.All is [] ? 429 : 200);
        };
        await CreateAsync(Admin, type);
        await Eventually.HoldsAsync(() => receiver.All.Length is 1, Plenty, receiver.ToString);
        await CreateAsync(Admin, type);
        await Eventually.HoldsAsync(() => receiver.Taken.Count() is 2, Plenty, receiver.ToString);
        Assert.All(receiver.Taken, request =>
            Assert.True(request.At - receiver.All[0].At > TimeSpan.FromSeconds(1.7), receiver.ToString())
        );
    }

    [Fact]
    [Trait("Conformance", "I3")]
    public async Task Redirects_are_not_followed_and_slow_or_large_responses_are_cut_off()
    {
        var (path, _) = await SubscribeAsync(Admin, type, receiver.Url);
        var requests = 0;
        receiver.Answer = async (request, response) =>
        {
            switch (Interlocked.Increment(ref requests))
            {
                case 1:
                    response.Headers.Location = "/elsewhere";
                    return 307;
                case 2:
                    await Task.Delay(TimeSpan.FromSeconds(4), TestContext.Current.CancellationToken);
                    return 200;
                case 3:
                    response.Headers["X-Large"] = new string('x', 100_000);
                    return 200;
                default:
                    return 200;
            }
        };
        await CreateAsync(Admin, type);
        await Eventually.HoldsAsync(() => receiver.All.Length >= 4, Plenty, receiver.ToString);
        Assert.All(receiver.All, request => Assert.Equal("/hook", request.Path));
        await Eventually.HoldsAsync(
            async () =>
                Rows(await Admin.GetAsync(path + "/attempts")) is [{ } last, _, _, ..]
                && last.GetProperty("outcome").GetString() is "delivered",
            Plenty,
            receiver.ToString
        );
        var details = Rows(await Admin.GetAsync(path + "/attempts"))
            .Select(attempt => attempt.GetProperty("detail").GetString())
            .Reverse()
            .ToArray();
        Assert.Equal(
            [
                "The target answered 307; redirects are not followed.",
                "The target did not answer within 3 s.",
                "The target could not be reached (ConfigurationLimitExceeded).",
                null,
            ],
            details
        );
    }

    [Fact]
    public async Task Test_event_is_sent_at_once_and_returns_its_result()
    {
        var (path, secret) = await SubscribeAsync(Admin, type, receiver.Url);
        var test = await Admin.SendAsync("POST", path + "/test");
        Assert.Equal(("true", "200"), (test.Text("/data/delivered"), test.Text("/data/status")));
        Assert.Equal(
            ("subscription.test", true),
            (receiver.All.Single().Type, receiver.All.Single().IsSignedWith(secret!))
        );
        receiver.AnswerWith(_ => 500);
        Assert.Equal("false", (await Admin.SendAsync("POST", path + "/test")).Text("/data/delivered"));
        var (pull, _) = await SubscribeAsync(Admin, type, null);
        foreach (var action in new[] { "test", "secret" })
            Assert.Equal("OTHER_DELIVERY", (await Admin.SendAsync("POST", $"{pull}/{action}")).Code);
    }
}
