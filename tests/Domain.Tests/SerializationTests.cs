using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Messages between nodes, through the serialiser that sends them.</summary>
public class SerializationTests
{
    static readonly Resource State = Story.Fold([Story.Created, Story.Deleted]).State!;

    // Sent as an object, so that the name of the type travels too: an alias that cannot be read back fails here.
    internal static T Sent<T>(T message)
        where T : notnull
    {
        using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer<object>>();
        return (T)serializer.Deserialize(serializer.SerializeToArray(message))!;
    }

    [Fact]
    public void Reply_survives_serialization()
    {
        var reply = new Reply<Resource>(State, 2, 20, true, null);
        Assert.Equal(reply, Sent(reply));
        Assert.Equal(new Reply<Resource>(null, 0, 0, false, null), Sent(new Reply<Resource>(null, 0, 0, false, null)));
    }

    [Fact]
    public void Rejection_survives_serialization_with_its_faults()
    {
        var sent = Sent(
            Reply<Resource>.Refused(new(Refusal.Invalid, "No.", [new("/name", FaultCode.TooShort, "Longer.")], 7))
        );
        Assert.Equal(
            (Refusal.Invalid, "No.", 7L),
            (sent.Rejection!.Kind, sent.Rejection.Detail, sent.Rejection.Version)
        );
        Assert.Equal("/name TOO_SHORT", TestJson.Summary(sent.Rejection.Faults!));
    }

    [Fact]
    public void Rejection_survives_serialization_with_its_referrers()
    {
        var sent = Sent(new Rejection(Refusal.StillReferenced, "No.", Referrers: new(21, [Guid.AllBitsSet])));
        Assert.Equal((21, Guid.AllBitsSet), (sent.Referrers!.Count, Assert.Single(sent.Referrers.Resources)));
    }

    [Fact]
    public void Commands_survive_serialization()
    {
        Assert.All(
            new ResourceCommand[]
            {
                new CreateResource("book", "Faust", "active", State.Metadata),
                new ReplaceResource(null, "é𝄞", "draft", JsonText.Empty),
                new ReplaceResource(
                    null,
                    "é𝄞",
                    "draft",
                    JsonText.Empty,
                    new(Story.Alice, 7, Story.At(1), Story.Alice, null, Story.Bob)
                ),
                new DeleteResource(),
                new DeleteResource(Scope.All, new(false, ["book"], true, [])),
                new RestoreResource(),
            },
            command => Assert.Equal(command, Sent(command))
        );
        Assert.All(
            new SubscriptionCommand[]
            {
                new CreateSubscription(Guid.Empty, "books", new("book"), State.Metadata, 7, Guid.AllBitsSet),
                new AdoptSubscription(Guid.Empty, "books", new(Owner: "x"), State.Metadata, 7, "disabled", "gone"),
                new RotateSubscriptionSecret(Guid.AllBitsSet, Story.At(1)),
                new ReplaySubscription(7),
                new DeleteSubscription(),
            },
            command => Assert.Equal(command, Sent(command))
        );
        Assert.Equal("{}"u8, ((PatchResource)Sent(Story.MergePatch("{}"))).Document);
        Assert.Equal(new Moment(Position: 7), Sent(new Moment(Position: 7)));
    }

    [Fact]
    public void Intent_survives_serialization_with_its_conditions()
    {
        var intent = Sent(new Intent(Guid.AllBitsSet, Story.Alice, "trace", "print", Story.IfMatch(1, 2), true));
        Assert.Equal(
            (Guid.AllBitsSet, Story.Alice, "trace", "print", true),
            (intent.CommandId, intent.Actor, intent.CorrelationId, intent.Fingerprint, intent.Repeated)
        );
        Assert.Equal([1L, 2L], intent.Conditions.IfMatch!);
        Assert.Null(intent.Conditions.IfNoneMatch);
    }

    [Fact]
    public void Streamed_event_survives_serialization()
    {
        var logged = new LoggedEvent(
            7,
            Guid.AllBitsSet,
            "resource.created",
            Guid.Empty,
            "book",
            "owner",
            1,
            Story.At(0),
            Story.Alice,
            null,
            State.Metadata
        );
        Assert.Equal(logged, Sent(logged));
    }

    [Fact]
    public void Account_and_store_failure_survive_serialization()
    {
        var account = new Account(
            Guid.Empty,
            Guid.AllBitsSet,
            ["admin"],
            true,
            false,
            false,
            3,
            Guid.AllBitsSet,
            Story.At(0),
            Factors.None
        );
        Assert.Equal(
            ("hash", 3L),
            (Sent(new AccountSecrets(Guid.Empty, account, 4, "a@b", "hash")).PasswordHash, Sent(account).SessionsEnded)
        );
        Assert.Equal("PostgreSQL is away.", Sent(new StoreUnavailableException("PostgreSQL is away.")).Message);
        Assert.Equal("In use.", Sent(new StoreOverloadedException("In use.")).Message);
        // The driver's exceptions have no way between nodes.
        Assert.StartsWith(
            "PostgreSQL is away. (57P01: terminated",
            Sent(
                new StoreUnavailableException(
                    "PostgreSQL is away.",
                    new Npgsql.PostgresException("terminated", "FATAL", "FATAL", "57P01")
                )
            ).Message,
            StringComparison.Ordinal
        );
    }
}
