using System.Diagnostics;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>The commands of an API key: given events, when a command, then events or a refusal.</summary>
public class ApiKeyDecisionTests
{
    static readonly Guid Owner = new(1, 0, 0, new byte[8]);

    static readonly ApiKeyCommand Create = new CreateApiKey(Owner, "import", "00", ["resource:read"], Story.At(60));
    static readonly ApiKeyEvent Created = new ApiKeyCreated(Owner, "import", "00", ["resource:read"], Story.At(60));
    static readonly ApiKeyEvent Revoked = new ApiKeyRevoked();

    [Fact]
    public void A_key_is_created_as_its_command_says()
    {
        When([], Create).Is(new ApiKeyCreated(Owner, "import", "00", ["resource:read"], Story.At(60)));
        When([], new CreateApiKey(Owner, "import", "00", [], null))
            .Is(new ApiKeyCreated(Owner, "import", "00", [], null));
    }

    [Fact]
    public void A_key_is_created_only_once() => Assert.Throws<UnreachableException>(() => When([Created], Create));

    [Fact]
    public void A_key_is_revoked_once()
    {
        When([Created], new RevokeApiKey()).Is(new ApiKeyRevoked());
        When([Created, Revoked], new RevokeApiKey()).IsNothing();
    }

    [Fact]
    public void A_missing_key_is_not_revoked() => When([], new RevokeApiKey()).IsRefused(Refusal.ApiKeyNotFound);

    [Fact]
    public void A_key_has_the_times_of_its_creation_and_revocation()
    {
        Assert.Equal((Story.At(1), null), Times(Created));
        Assert.Equal((Story.At(1), Story.At(2)), Times(Created, Revoked));
    }

    static (DateTimeOffset, DateTimeOffset?) Times(params ApiKeyEvent[] given)
    {
        var key = Outcome.After<ApiKey, ApiKeyEvent>(given, ApiKey.Evolve).State!;
        return (key.CreatedAt, key.RevokedAt);
    }

    static Decision<ApiKeyEvent> When(ApiKeyEvent[] given, ApiKeyCommand command)
    {
        var (state, version) = Outcome.After<ApiKey, ApiKeyEvent>(given, ApiKey.Evolve);
        return ApiKey.Decide(state, command, Outcome.Context(version));
    }
}
