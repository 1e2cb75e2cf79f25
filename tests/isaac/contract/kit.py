"""Stand-ins for what Kit brings, so that Isaac Lab's own code runs: importing this pytest plugin puts them in place.

Real are torch, NumPy, USD (``pxr``), Gymnasium and all of Isaac Lab. Stood in are Kit's modules, which Isaac Lab
imports in dozens, and a few packages that none of the code under test calls. PhysX's schemas author real attributes,
and only those that they have. What our own code takes from Kit is checked one by one in ``test_names.py``.
"""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

from tests.isaac.sources import package_dirs

_ROOTS = ("omni", "carb", "isaacsim", "usdrt", "Semantics", "warp", "h5py", "trimesh", "flatdict", "cv2", "hid")
_PXR = ("pxr.PhysxSchema", "pxr.PhysicsSchemaTools")
ASSET_ROOT = "omniverse://asset-root"


class _Anything(type):
    """A class that has whatever is asked of it."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        made = _Anything(name, (_Thing,), {})
        setattr(cls, name, made)
        return made

    def __or__(cls, other: Any) -> Any:
        return object

    __ror__ = __or__

    def __iter__(cls) -> Any:
        return iter(())

    def __int__(cls) -> int:
        return 0


class _Thing(metaclass=_Anything):
    def __init__(self, *args: Any, **keywords: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return _Thing()

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        # Decorators, such as those of kernels, give back what they decorate.
        return args[0] if len(args) == 1 and callable(args[0]) and not keywords else _Thing()

    def __iter__(self) -> Any:
        return iter(())

    def __bool__(self) -> bool:
        return False


class _Module(types.ModuleType):
    __path__: Sequence[str] = []
    __file__ = "/stand-in"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        full = f"{self.__name__}.{name}"
        if full in sys.modules:
            return sys.modules[full]
        made = _Anything(name, (_Thing,), {})
        setattr(self, name, made)
        return made


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname.split(".")[0] in _ROOTS or fullname in _PXR:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> Any:
        return _Module(spec.name)

    def exec_module(self, module: Any) -> None:
        pass


class Settings:
    """A working store in place of carb's."""

    def __init__(self) -> None:
        self.store: dict[str, Any] = {"/persistent/isaac/asset_root/cloud": ASSET_ROOT}

    def get(self, path: str) -> Any:
        return self.store.get(path)

    def set_bool(self, path: str, value: Any) -> None:
        self.store[path] = value

    set_int = set_float = set_string = set_bool

    def get_as_bool(self, path: str) -> bool:
        return bool(self.store.get(path, False))

    def get_as_string(self, path: str) -> str:
        return str(self.store.get(path, ""))


_SCHEMAS = {
    "PhysxMaterialAPI": "frictionCombineMode:Token restitutionCombineMode:Token compliantContactStiffness:Float "
    "compliantContactDamping:Float",
    "PhysxRigidBodyAPI": "linearDamping:Float angularDamping:Float maxLinearVelocity:Float maxAngularVelocity:Float "
    "maxDepenetrationVelocity:Float maxContactImpulse:Float disableGravity:Bool enableGyroscopicForces:Bool "
    "retainAccelerations:Bool solverPositionIterationCount:Int solverVelocityIterationCount:Int sleepThreshold:Float "
    "stabilizationThreshold:Float",
    "PhysxCollisionAPI": "contactOffset:Float restOffset:Float torsionalPatchRadius:Float "
    "minTorsionalPatchRadius:Float",
    "PhysxContactReportAPI": "threshold:Float",
    "PhysxArticulationAPI": "enabledSelfCollisions:Bool articulationEnabled:Bool solverPositionIterationCount:Int "
    "solverVelocityIterationCount:Int sleepThreshold:Float stabilizationThreshold:Float",
}
"""PhysX's USD schemas, as far as our objects use them: attributes and their types (docs of omni_usd_schema_physics)."""


def _schema(name: str, attributes: str) -> type:
    from pxr import Sdf

    space = name[0].lower() + name.removesuffix("API")[1:]
    kinds = dict(part.split(":") for part in attributes.split())

    class Api:
        def __init__(self, prim: Any) -> None:
            self._prim = prim

        @classmethod
        def Apply(cls, prim: Any) -> Any:  # noqa: N802
            prim.AddAppliedSchema(name)
            return cls(prim)

        @classmethod
        def Get(cls, stage: Any, path: Any) -> Any:  # noqa: N802
            return cls(stage.GetPrimAtPath(path))

        def __bool__(self) -> bool:
            return has_schema(self._prim, name)

        def GetPath(self) -> Any:  # noqa: N802
            return self._prim.GetPath()

        def __getattr__(self, method: str) -> Any:
            if method.startswith("Create") and method.endswith("Attr"):
                attribute = method[6].lower() + method[7:-4]
                if attribute in kinds:
                    kind = getattr(Sdf.ValueTypeNames, kinds[attribute])
                    return lambda *value: _created(self._prim, f"{space}:{attribute}", kind, *value)
            raise AttributeError(f"{name} has no {method}")

    Api.__name__ = name
    return Api


def _created(prim: Any, name: str, kind: Any, *value: Any) -> Any:
    attribute = prim.CreateAttribute(name, kind)
    for one in value:
        attribute.Set(one)
    return attribute


def has_schema(prim: Any, name: str) -> bool:
    """Whether a schema that USD itself does not know is applied to a prim."""
    listed = prim.GetMetadata("apiSchemas")
    return listed is not None and name in listed.GetAddedOrExplicitItems()


class _PreviewSurfaceCommand:
    """Kit's command that makes the shader of a preview surface."""

    def __init__(self, parent_path: str, identifier: str, stage_or_context: Any, name: str) -> None:
        from pxr import Sdf, UsdShade

        self._shader = UsdShade.Shader.Define(stage_or_context, f"{parent_path}/{name}")
        self._shader.CreateIdAttr(identifier)
        kinds = {"diffuseColor": "Color3f", "emissiveColor": "Color3f", "roughness": "Float", "metallic": "Float"}
        for attribute, kind in {**kinds, "opacity": "Float"}.items():
            self._shader.CreateInput(attribute, getattr(Sdf.ValueTypeNames, kind))
        self._shader.CreateOutput("surface", Sdf.ValueTypeNames.Token)

    def do(self) -> Any:
        return self._shader


def _execute(command: str, *, prim_path: str, material_path: str, strength: str, stage: Any) -> tuple[bool, None]:
    """The one of Kit's commands that spawning uses: it binds a material."""
    from pxr import UsdShade

    assert command == "BindMaterialCommand"
    material = UsdShade.Material(stage.GetPrimAtPath(material_path))
    binding = UsdShade.MaterialBindingAPI.Apply(stage.GetPrimAtPath(prim_path))
    return bool(binding.Bind(material, strength)), None


_stage: list[Any] = [None]


def new_stage() -> Any:
    """Make an empty stage the current one."""
    from pxr import Usd, UsdGeom

    _stage[0] = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(_stage[0], UsdGeom.Tokens.z)
    UsdGeom.Xform.Define(_stage[0], "/World")
    return _stage[0]


SETTINGS = Settings()


def _install() -> None:
    sys.meta_path.insert(0, _Finder())
    sys.path[:0] = [str(folder) for folder in package_dirs()]
    builtins.ISAAC_LAUNCHED_FROM_TERMINAL = False  # type: ignore[attr-defined]
    import carb
    import carb.settings
    import isaacsim.core.version
    import omni.kit.commands
    import omni.usd
    from pxr import PhysxSchema, Usd

    carb.settings.get_settings = lambda: SETTINGS
    isaacsim.core.version.get_version = lambda: ("5.1.0", "", "5", "1", "0", "", "", "")
    context = _Thing()
    type(context).get_stage = lambda self: _stage[0]
    omni.usd.get_context = lambda *args: context
    omni.kit.commands.execute = _execute
    for name, attributes in _SCHEMAS.items():
        setattr(PhysxSchema, name, _schema(name, attributes))
    for method in ("HasAPI", "IsA"):
        original = getattr(Usd.Prim, method)

        def asked(prim: Any, kind: Any, *rest: Any, _original: Any = original) -> bool:
            if getattr(kind, "__name__", "") in _SCHEMAS:
                return has_schema(prim, kind.__name__)
            return False if isinstance(kind, _Anything) else _original(prim, kind, *rest)

        setattr(Usd.Prim, method, asked)
    # First, or Isaac Lab's managers are imported in a circle.
    import isaaclab.envs  # noqa: F401
    from isaaclab.sim.spawners.materials import visual_materials

    visual_materials.CreateShaderPrimFromSdrCommand = _PreviewSurfaceCommand


_install()
