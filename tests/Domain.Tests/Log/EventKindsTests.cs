using System.Reflection;
using System.Reflection.Emit;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>How kinds of events are collected from the assemblies that declare them.</summary>
public class EventKindsTests
{
    [Fact]
    public void Assembly_adds_kinds_to_those_of_the_product()
    {
        var brought = Declare(typeof(object), "note.pinned");
        var kinds = new EventKinds(brought, brought, typeof(EventKinds).Assembly);

        Assert.Equal(new EventKinds().All.Count + 1, kinds.All.Count);
        Assert.Equal("note.pinned", kinds[brought.GetTypes().Single()].Name);
        Assert.True(kinds.Contains("note.pinned"));
        Assert.IsType(brought.GetTypes().Single(), kinds.Read("note.pinned", "{}"));
    }

    [Fact]
    public void Undeclared_kind_reads_as_null()
    {
        var kinds = new EventKinds();
        Assert.Null(kinds.Read("note.pinned", "{}"));
        Assert.False(kinds.Contains("note.pinned"));
        Assert.Throws<KeyNotFoundException>(() => kinds[typeof(string)]);
    }

    [Theory]
    [InlineData(typeof(object), "role.changed", false, "Two events are called role.changed")]
    [InlineData(typeof(object), "pinned", false, "two parts")]
    [InlineData(typeof(object), "note.", false, "two parts")]
    [InlineData(typeof(object), "note.was.pinned", false, "two parts")]
    [InlineData(typeof(object), "resource.pinned", false, "begins with 'resource.'")]
    [InlineData(typeof(ResourceEvent), "note.pinned", false, "begins with 'resource.'")]
    [InlineData(typeof(ResourceEvent), "resource.pinned", false, "not of the product")]
    [InlineData(typeof(object), "note.pinned", true, "not of the product")]
    public void Invalid_declaration_is_refused(Type parent, string name, bool changesAccess, string reason)
    {
        var brought = Declare(parent, name, changesAccess);
        Assert.Contains(
            reason,
            Assert.Throws<InvalidOperationException>(() => new EventKinds(brought)).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>
    /// All events of an aggregate are named after it, and it has one base for them. What only the audit reads belongs to no
    /// aggregate.
    /// </summary>
    [Fact]
    public void Aggregates_have_one_name_each()
    {
        static Type Root(Type type) => type.BaseType == typeof(object) ? type : Root(type.BaseType!);
        var bases = new EventKinds()
            .All.Where(kind => Root(kind.Type) != typeof(AuditEvent))
            .GroupBy(kind => kind.Name.Split('.')[0], kind => Root(kind.Type));
        Assert.All(bases, types => Assert.Single(types.Distinct()));
        Assert.Equal(bases.Count(), bases.SelectMany(types => types).Distinct().Count());
    }

    /// <summary>An assembly with one event.</summary>
    static AssemblyBuilder Declare(Type parent, string name, bool changesAccess = false)
    {
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new("Notes"), AssemblyBuilderAccess.Run);
        var type = assembly
            .DefineDynamicModule("Notes")
            .DefineType("NotePinned", parent.IsAbstract ? TypeAttributes.Abstract : TypeAttributes.Public, parent);
        var attribute = typeof(EventAttribute);
        type.SetCustomAttribute(
            new(
                attribute.GetConstructor([typeof(string)])!,
                [name],
                [attribute.GetProperty(nameof(EventAttribute.ChangesAccess))!],
                [changesAccess]
            )
        );
        type.CreateType();
        return assembly;
    }
}
