using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>
/// Changes of types on two nodes: what callers are told meanwhile, and what is left of those that were lost or given up.
/// </summary>
public sealed class TypeChangeNodesTests(TwoClusters clusters) : TypeNodes(clusters)
{
    const string Unique = """
        "unique":{"a":{"members":["/metadata/a"]}}
        """;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>A definition with rules beside the schema.</summary>
    JsonText With(string rest) => Text($$"""{"name":"{{type}}","schema":{{Texts}},{{rest}}}""");

    static string Refers(string pointer, string target) =>
        $$$"""
            "references":{"{{{pointer}}}":{"type":"{{{target}}}"}}
            """;

    async Task<Guid?> ProposeAsync(TypeCommand command) => (await SendAsync(One, command)).Value!.Proposal!.Change;

    /// <summary>Declares another type, and creates a resource of it.</summary>
    async Task<(string Type, Guid Id)> TargetAsync()
    {
        var (other, id) = ($"t{Guid.NewGuid():n}", Guid.CreateVersion7());
        await One.Grain<ITypeGrain>(TypeState.StreamOf(other))
            .Execute(
                new DeclareType(other, Text($$$"""{"name":"{{{other}}}","schema":{"type":"object"}}""")),
                Intend()
            );
        await Eventually.HoldsAsync(
            async () => (await One.Service<TypeBook>().RefreshAsync(other)).IsDeclared,
            TimeSpan.FromSeconds(30),
            () => "the other type is declared"
        );
        Assert.Null(
            (await One.Resource(id).Execute(new CreateResource(other, "n", null, Text("{}")), Intend())).Rejection
        );
        return (other, id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Definition_that_was_lost_in_a_failover_is_forgotten(bool isFollowed)
    {
        await DeclareAsync(Both);
        var log = One.Service<EventLog>();
        await log.AppendAsync(Stream, 2, [new TypeChanged(type, Guid.NewGuid(), Definition(Texts), [])], Intend());
        await One.Service<TypeBook>().RefreshAsync(type);

        // As if it had never reached this server, and another one had come by another node.
        await Database.ExecuteAsync(
            """
            update mt_events set seq_id = nextval('mt_events_sequence'), data = jsonb_set(data, '{definition,schema}', $2::jsonb)
            where stream_id = $1 and version = 3
            """,
            Stream,
            Numbers
        );
        if (isFollowed)
            await log.AppendAsync(
                Stream,
                3,
                [new TypeChangeAbandoned(Guid.NewGuid(), AbandonReason.Withdrawn, 0, 0, [])],
                Intend()
            );

        Assert.Equal(Refusal.Invalid, (await CreateAsync(One, """{"a":"x"}""")).Rejection?.Kind);
        Assert.Null((await CreateAsync(One, """{"a":1}""")).Rejection);
    }

    [Fact]
    public async Task Values_of_a_change_that_was_given_up_are_not_entered_any_more()
    {
        await DeclareAsync(Texts);
        var id = Guid.CreateVersion7();
        await One.Resource(id).Execute(new CreateResource(type, "n", null, Text("""{"a":"x"}""")), Intend());
        var store = One.Service<TypeChangeStore>();
        Guid change;
        await using (await HoldAsync())
        {
            change = (await ProposeAsync(new ReplaceType(With(Unique))))!.Value;
            var rules = await One.Service<TypeBook>().RefreshAsync(type);
            var (claims, references) = rules.EntriesOf((await One.Resource(id).Get()).Value!);
            Assert.NotEmpty(claims);
            Assert.Null((await SendAsync(One, new WithdrawTypeChange())).Rejection);

            Assert.Null(await store.EnterAsync(rules.Fence, [new(id, 1, claims, references)], Cancelled));
            Assert.Equal(0, await CountAsync("select count(*) from unique_claims where scope = $1", Stream));
            await store.WriteAsync(Stream, change, TypeChangeProgress.None, Cancelled);
        }
        await Eventually.HoldsAsync(
            async () => await CountAsync("select count(*) from type_changes where change = $1", change) is 0,
            TimeSpan.FromSeconds(30),
            () => "what was noted too late is removed"
        );
    }

    [Fact]
    public async Task Refusal_by_a_proposal_alone_names_the_change()
    {
        var (other, target) = await TargetAsync();
        await DeclareAsync(Texts);
        await using var busy = await HoldAsync();
        var change = await ProposeAsync(new ReplaceType(With($"{Unique},{Refers("/metadata/a", other)}")));
        Assert.Null((await CreateAsync(One, $$"""{"a":"{{target}}"}""")).Rejection);

        var taken = await CreateAsync(One, $$"""{"a":"{{target}}"}""");
        var missing = await CreateAsync(One, $$"""{"a":"{{Guid.NewGuid()}}"}""");
        var needed = await One.Resource(target).Execute(new DeleteResource(), Intend());

        Assert.Equal((Refusal.NotUnique, change), (taken.Rejection!.Kind, taken.Rejection.Change));
        Assert.Equal((Refusal.ReferenceNotFound, change), (missing.Rejection!.Kind, missing.Rejection.Change));
        Assert.Equal((Refusal.StillReferenced, change), (needed.Rejection!.Kind, needed.Rejection.Change));
    }

    [Fact]
    public async Task Refusal_by_what_is_in_force_names_no_change()
    {
        var (other, target) = await TargetAsync();
        var reply = await SendAsync(One, new DeclareType(type, With($"{Unique},{Refers("/metadata/a", other)}")));
        Assert.Null((await EndAsync(reply.Value!.Proposal!.Change)).Reason);
        Assert.Null((await CreateAsync(One, $$"""{"a":"{{target}}"}""")).Rejection);

        var taken = await CreateAsync(One, $$"""{"a":"{{target}}"}""");
        var needed = await One.Resource(target).Execute(new DeleteResource(), Intend());

        Assert.Equal((Refusal.NotUnique, null), (taken.Rejection!.Kind, taken.Rejection.Change));
        Assert.Equal((Refusal.StillReferenced, null), (needed.Rejection!.Kind, needed.Rejection.Change));
    }

    [Fact]
    public async Task Resource_of_a_type_that_is_being_deleted_is_refused_by_that_change()
    {
        await DeclareAsync(Texts);
        await using var busy = await HoldAsync();
        var change = await ProposeAsync(new DeleteType());

        var refused = await CreateAsync(One, """{"a":"x"}""");

        Assert.Equal((Refusal.TypeInUse, change), (refused.Rejection!.Kind, refused.Rejection.Change));
    }

    [Fact]
    public async Task References_of_both_definitions_together_are_too_many_by_the_change()
    {
        const string schema = """
            {"type":"object","properties":{"x":{"type":"array","items":{"type":"string"}},"y":{"type":"array","items":{"type":"string"}}}}
            """;
        JsonText Referring(string member) =>
            Text($$"""{"name":"{{type}}","schema":{{schema}},{{Refers($"/metadata/{member}/*", type)}}}""");
        static string Ids() => string.Join(',', Enumerable.Range(0, 60).Select(_ => $"\"{Guid.NewGuid()}\""));
        var reply = await SendAsync(One, new DeclareType(type, Referring("x")));
        Assert.Null((await EndAsync(reply.Value!.Proposal!.Change)).Reason);
        await using var busy = await HoldAsync();
        var change = await ProposeAsync(new ReplaceType(Referring("y")));

        var refused = await CreateAsync(One, $$"""{"x":[{{Ids()}}],"y":[{{Ids()}}]}""");

        Assert.Equal("TOO_MANY_REFERENCES", refused.Rejection?.Faults?[0].Code);
        Assert.Equal(change, refused.Rejection!.Change);
    }

    [Fact]
    public async Task Repeated_declaration_has_its_first_answer_though_there_are_too_many_types_now()
    {
        var (caller, key) = (Administrator, new Attempt("key", "print", Conditions.None, null));
        Task<Reply<TypeState>> SendAgainAsync() =>
            One.Service<TypeDoor>()
                .ExecuteAsync(
                    caller,
                    type,
                    new DeclareType(type, Definition(Texts)),
                    key,
                    TimeSpan.FromSeconds(30),
                    Cancelled
                );
        var first = await SendAgainAsync();
        Assert.Null(first.Rejection);
        try
        {
            await Database.ExecuteAsync(
                """
                insert into unique_claims (scope, rule, value, resource)
                select $1, 0, sha256(n::text::bytea), gen_random_uuid() from generate_series(1, $2) n
                """,
                TypeNames.Scope,
                TypeState.MaxTypes
            );
            var other = $"t{Guid.NewGuid():n}";
            var refused = await One.Grain<ITypeGrain>(TypeState.StreamOf(other))
                .Execute(new DeclareType(other, Text($$$"""{"name":"{{{other}}}","schema":{{{Texts}}}}""")), Intend());
            var again = await SendAgainAsync();

            Assert.Equal(Refusal.TooManyTypes, refused.Rejection?.Kind);
            Assert.Equal((null, true, first.Version), (again.Rejection, again.Replayed, again.Version));
        }
        finally
        {
            await Database.ExecuteAsync(
                "delete from unique_claims c where c.scope = $1 and not exists (select from mt_streams s where s.id = c.resource)",
                TypeNames.Scope
            );
        }
    }

    [Fact]
    public async Task Replacement_that_changes_nothing_by_rules_of_the_past_is_decided_again()
    {
        static string Schema(int n) =>
            $$$$"""{"type":"object","properties":{"a":{"type":"string","default":"{{{{n}}}}"}}}""";
        await DeclareAsync(Schema(0));
        var id = Guid.CreateVersion7();
        await Other.Resource(id).Execute(new CreateResource(type, "n", null, JsonText.Empty), Intend());
        for (var n = 1; n <= 20; n++)
        {
            var changed = await SendAsync(One, new ReplaceType(Definition(Schema(n))));
            if (changed.Value!.Proposal is { } proposal)
                Assert.Null((await EndAsync(proposal.Change)).Reason);

            var put = await Other.Resource(id).Execute(new ReplaceResource(null, "n", null, JsonText.Empty), Intend());

            Assert.Equal($"{n}", put.Value!.Metadata.ToElement().GetProperty("a").GetString());
        }
    }

    [Fact]
    public async Task Examples_of_a_refused_change_are_kept_by_its_event()
    {
        await CreateAsync(One, """{"a":1}""");
        var reply = await SendAsync(One, new DeclareType(type, Definition(Texts)));
        var change = reply.Value!.Proposal!.Change;
        await EndAsync(change);
        await DeclareAsync(Both);

        var verdict = await Other.Grain<ITypeGrain>(Stream).GetOutcome(change);

        Assert.Equal((AbandonReason.BreaksData, 1L), (verdict!.Outcome.Reason, verdict.Outcome.Offending));
        Assert.Equal("/metadata/a", Assert.Single(verdict.Examples).Errors[0].Pointer);
    }
}
